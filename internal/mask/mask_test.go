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

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/internal/mask"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type credential string

func (c credential) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(c)) }

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	secret  = "sdk-0123456789-tail"
)

func TestString(t *testing.T) {
	for secret, want := range map[string]string{
		"":          "", // readers see that there is none
		"12345678":  "***",
		"123456789": "***6789",
		secret:      "***tail",
	} {
		if got := mask.String(secret); got != want {
			t.Errorf("a secret of %d bytes is shown as %q, want %q", len(secret), got, want)
		}
	}
}

// shown returns what a verb prints for a credential, alone and inside other values.
func shown(flags string, verb rune) string {
	c := credential(secret)
	format := "%" + flags + string(verb)
	return fmt.Sprintf(strings.Repeat(format+" ", 5), c, &c, []credential{c}, map[credential]credential{c: c}, struct{ C any }{c})
}

func TestVerbsShowTheMaskedForm(t *testing.T) {
	for _, verb := range letters {
		if verb == 'p' || verb == 'w' {
			continue // TestWhatBypassesFormat
		}
		for _, flags := range []string{"", "+", "#", "-30", "030", ".30", " "} {
			if text := shown(flags, verb); strings.Contains(text, "0123") || strings.Contains(text, "30313233") {
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
		// Inside another value, package fmt calls the method of the pointer.
		if got := fmt.Sprintf(format, []*account{&a}); !strings.Contains(got, want) {
			t.Errorf("%s of a pointer in a slice: %s, want %s", format, got, want)
		}
	}
	if got := fmt.Sprintf("%s", []*account{&a}); got != "[{***tail}]" {
		t.Error(got)
	}
}

// TestWhatBypassesFormat shows the known limit: package fmt calls no method for these verbs, for an
// unexported field, and behind some pointers. If it fails, the comment of Format and SECURITY.md can
// promise more.
func TestWhatBypassesFormat(t *testing.T) {
	for _, verb := range "pw" {
		if text := shown("", verb); !strings.Contains(text, secret) {
			t.Errorf("%%%c: %s", verb, text)
		}
	}
	if text := fmt.Sprint(struct{ c credential }{secret}); !strings.Contains(text, secret) {
		t.Errorf("an unexported field: %s", text)
	}
	for _, verb := range "st" {
		if text := fmt.Sprintf("%"+string(verb), []*struct{ C credential }{{secret}}); !strings.Contains(text, secret) {
			t.Errorf("%%%c behind a pointer: %s", verb, text)
		}
	}
}

// TestVetReports checks what Format says about go vet.
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
	report, _ := exec.CommandContext(t.Context(), "go", "vet", "./testdata/verbs").CombinedOutput() // fails, because there are findings
	var got []int
	for _, m := range regexp.MustCompile(file+`:(\d+):`).FindAllStringSubmatch(string(report), -1) {
		line, _ := strconv.Atoi(m[1])
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("lines %v, want %v:\n%s", got, want, report)
	}
}
