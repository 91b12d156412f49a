package admin

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/mask"
)

// A Token is the secret that lets people and scrapers look. It is shown masked, like the keys of this library.
type Token string

// String returns the masked form.
func (t Token) String() string { return mask.String(string(t)) }

// Format implements fmt.Formatter with the masked form for every verb.
func (t Token) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(t)) }

// LogValue implements slog.LogValuer with the masked form.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

func (t Token) valid() bool {
	return len(t) >= MinToken && !strings.ContainsFunc(string(t), func(r rune) bool { return r <= ' ' || r > '~' })
}

// equals compares in a time that tells neither the content nor the length of t.
func (t Token) equals(other string) bool {
	a, b := sha256.Sum256([]byte(t)), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// sessionAge is how long a cookie stands for the token.
const sessionAge = 12 * time.Hour

// sign returns the value of a cookie that stands for the token until sessionAge from now: the time of its end, and a
// code that only who has the token can make. It needs no memory, so it outlives a restart, and ends with the token.
func (t Token) sign(now time.Time) string {
	end := strconv.FormatInt(now.Add(sessionAge).Unix(), 10)
	return end + "." + t.code(end)
}

// signed reports whether value is that of a cookie that stands for the token now.
func (t Token) signed(value string, now time.Time) bool {
	end, code, _ := strings.Cut(value, ".")
	if !hmac.Equal([]byte(code), []byte(t.code(end))) {
		return false
	}
	seconds, err := strconv.ParseInt(end, 10, 64)
	return err == nil && now.Before(time.Unix(seconds, 0))
}

func (t Token) code(end string) string {
	h := hmac.New(sha256.New, []byte(t))
	_, _ = h.Write([]byte("autoconfig hub session until " + end)) // a hash does not fail
	return hex.EncodeToString(h.Sum(nil))
}

// bearerToken returns the token that a request has in its Authorization header.
func bearerToken(r *http.Request) (token string, ok bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// cookieName returns the name of the cookie. Over TLS its prefix makes browsers refuse one that another host has set.
func cookieName(r *http.Request) string {
	if overTLS(r) {
		return "__Host-autoconfig"
	}
	return "autoconfig"
}
