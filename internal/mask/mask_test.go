package mask_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/internal/mask"
)

type credential string

func (c credential) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(c)) }

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	secret  = "sdk-0123456789-tail"
)

func TestString(t *testing.T) {
	for secret, want := range map[string]string{
		"":          "",
		"12345678":  "***",
		"123456789": "***6789",
		secret:      "***tail",

		// The end of a key that is no key must not end the line, or reach the terminal.
		"sdk-0123456789\ntop": "***", "sdk-0123456789 top": "***", "sdk-0123456789\x1b[J": "***", "sdk-0123456789ttöp": "***",
	} {
		if got := mask.String(secret); got != want {
			t.Errorf("a secret of %d bytes is shown as %q, want %q", len(secret), got, want)
		}
	}
}

// formatted formats a credential, alone and inside of other values.
func formatted(flags string, verb rune) string {
	c := credential(secret)
	format := "%" + flags + string(verb)
	return fmt.Sprintf(strings.Repeat(format+" ", 5), c, &c, []credential{c}, map[credential]credential{c: c}, struct{ C any }{c})
}

func TestVerbsShowTheMaskedForm(t *testing.T) {
	for _, verb := range letters {
		if verb == 'p' || verb == 'w' {
			continue // see TestWhatBypassesFormat
		}
		for _, flags := range []string{"", "+", "#", "-30", "030", ".30", " "} {
			if text := formatted(flags, verb); strings.Contains(text, "0123") || strings.Contains(text, "30313233") {
				t.Errorf("%%%s%c: %s", flags, verb, text)
			}
		}
	}
	if got := fmt.Sprintf("%v %q %#v", credential(secret), credential(secret), credential(secret)); got != `***tail "***tail" "***tail"` {
		t.Error(got)
	}
}

type account struct{ C credential }

func (a account) Format(f fmt.State, verb rune) {
	type fields account
	mask.Struct(f, verb, a, fields(a))
}

func TestStructsAreShownByTheirFields(t *testing.T) {
	a := account{secret}
	for format, want := range map[string]string{
		"%v": "{***tail}", "%+v": "{C:***tail}", "%#v": "mask_test.account{C:***tail}", "%q": `{"***tail"}`,
	} {
		if got := fmt.Sprintf(format, a); got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
		// Package fmt calls the Format method of the pointer.
		if got := fmt.Sprintf(format, []*account{&a}); !strings.Contains(got, want) {
			t.Errorf("%s of a pointer in a slice: %s, want %s", format, got, want)
		}
	}
	if got := fmt.Sprintf("%s", []*account{&a}); got != "[{***tail}]" {
		t.Error(got)
	}
}

// TestWhatBypassesFormat checks the limits that the comment of Format states. If it fails, the comment and SECURITY.md
// may promise more.
func TestWhatBypassesFormat(t *testing.T) {
	for _, verb := range "pw" {
		if text := formatted("", verb); !strings.Contains(text, secret) {
			t.Errorf("%%%c: %s", verb, text)
		}
	}
	if text := fmt.Sprint(struct{ c credential }{secret}); !strings.Contains(text, secret) {
		t.Errorf("a field that is not exported: %s", text)
	}
	for _, verb := range "st" {
		if text := fmt.Sprintf("%"+string(verb), []*struct{ C credential }{{secret}}); !strings.Contains(text, secret) {
			t.Errorf("%%%c behind a pointer: %s", verb, text)
		}
	}
}

// TestVetReports checks that go vet reports what the comment of Format says.
func TestVetReports(t *testing.T) {
	const file = "testdata/verbs/verbs.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(line, "// vet") {
			want = append(want, i+1)
		}
	}
	report, _ := exec.CommandContext(t.Context(), "go", "vet", "./testdata/verbs").CombinedOutput() // fails, having findings
	var got []int
	for _, m := range regexp.MustCompile(file+`:(\d+):`).FindAllStringSubmatch(string(report), -1) {
		line, _ := strconv.Atoi(m[1])
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("lines %v, want %v:\n%s", got, want, report)
	}
}
