package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A flagRow is what the README says of a flag.
type flagRow struct {
	of, defaults []string
	usage        string
}

// TestReadmeListsFlags compares the README's table of flags with the flags.
func TestReadmeListsFlags(t *testing.T) {
	rows := make(map[string]flagRow)
	for _, s := range subcommands() {
		s.flags().VisitAll(func(f *flag.Flag) {
			row := rows[f.Name]
			row.of = append(row.of, s.name)
			if f.DefValue != "" && f.DefValue != "false" && !slices.Contains(row.defaults, "`"+f.DefValue+"`") {
				row.defaults = append(row.defaults, "`"+f.DefValue+"`")
			}
			_, usage := flag.UnquoteUsage(f)
			row.usage = strings.ReplaceAll(usage, "\n", " ")
			rows[f.Name] = row
		})
	}
	want := "| flag | of | default | is |\n| --- | --- | --- | --- |\n"
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		row := rows[name]
		want += fmt.Sprintf("| `-%s` | %s | %s | %s |\n", name, strings.Join(row.of, ", "), strings.Join(row.defaults, ", "), row.usage)
	}
	if !strings.Contains(read(t, "README.md"), want) {
		t.Errorf("the table should be\n%s", want)
	}
}

// TestReadmeListsExitStatuses compares the README's table of exit statuses with that of the help texts.
func TestReadmeListsExitStatuses(t *testing.T) {
	readme := read(t, "README.md")
	for line := range strings.Lines(cli.ExitHelp) {
		if status, meaning, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.Contains(readme, "| "+status+" | "+meaning) {
			t.Errorf("it lacks %s", line)
		}
	}
}

// runs fails the test unless the arguments call a subcommand in the right way.
func runs(t *testing.T, args []string) {
	t.Helper()
	for _, s := range subcommands() {
		if len(args) == 0 || s.name != args[0] {
			continue
		}
		var said bytes.Buffer
		p := &cli.Process{Args: args[1:], Getenv: func(string) string { return "" }, Stdout: io.Discard, Stderr: &said}
		if status, ok := s.flags().Parse(p); !ok {
			t.Errorf("%q: status %d: %s", args, status, &said)
		}
		return
	}
	t.Errorf("%q is no subcommand", args)
}

func TestDockerfileRunsTheCommand(t *testing.T) {
	instructions := make(map[string]string)
	for line := range strings.Lines(read(t, "../../deploy/Dockerfile")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		instructions[instruction] = rest
	}
	var args []string
	if err := json.Unmarshal([]byte(instructions["CMD"]), &args); err != nil {
		t.Fatal(err)
	}
	runs(t, args)
	if !strings.Contains(instructions["RUN"], "CGO_ENABLED=0") || !strings.HasSuffix(instructions["FROM"], ":nonroot") {
		t.Errorf("not a static binary for a user that is not root: %q", instructions)
	}
}

// A manifest has what the tests look at in any of the objects.
type manifest struct {
	Kind string
	Spec struct {
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Args  []string
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					ReadinessProbe, LivenessProbe struct {
						HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
					}
				}
			}
		}
		Selector any
	}
}

func TestKubernetesManifest(t *testing.T) {
	objects := make(map[string]manifest)
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "../../deploy/kubernetes.yaml")))
	for {
		var m manifest
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects[m.Kind] = m
	}
	if kinds := slices.Sorted(maps.Keys(objects)); !slices.Equal(kinds, []string{"Deployment", "PodDisruptionBudget", "Service"}) {
		t.Fatalf("it has %q", kinds)
	}
	pod := objects["Deployment"].Spec.Template
	container := pod.Spec.Containers[0]
	runs(t, container.Args)
	for i, flag := range []string{"-listen", "-admin-listen"} {
		if listen := fmt.Sprintf("%s=:%d", flag, container.Ports[i].ContainerPort); !slices.Contains(container.Args, listen) {
			t.Errorf("port %s is not that of %s: %q", container.Ports[i].Name, flag, container.Args)
		}
	}
	if pod.Spec.TerminationGracePeriodSeconds < 30 {
		t.Errorf("it is killed after %d s", pod.Spec.TerminationGracePeriodSeconds)
	}
	label := pod.Metadata.Labels["app.kubernetes.io/name"]
	for kind, object := range objects {
		if selector := fmt.Sprint(object.Spec.Selector); label == "" || !strings.Contains(selector, label) {
			t.Errorf("%s selects %s, and not %s", kind, selector, label)
		}
	}
}
