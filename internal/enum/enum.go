// Package enum names the values of enumerations.
package enum

import "strconv"

// Name returns names[v]. If that is missing or empty, it returns the name of the type with the number, such as
// "Kind(9)".
func Name[T ~uint8](typeName string, v T, names []string) string {
	if int(v) >= len(names) || names[v] == "" {
		return typeName + "(" + strconv.Itoa(int(v)) + ")"
	}
	return names[v]
}
