// Package web is what the pages of a hub share: the headers of every response, the stylesheet and the icon.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

//go:embed style.css icon.svg
var shared embed.FS

// Shared returns the files that all pages use: style.css and icon.svg.
func Shared() fs.FS { return shared }

// policy lets a page use what its own origin serves, and nothing else. It forbids scripts and styles within the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// SetHeaders sets the headers that every response of a page has.
func SetHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would take the Origin from the form that signs in
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// File returns a handler that serves one file of files. It panics if there is no such file.
func File(files fs.FS, name string) http.Handler {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		panic("web: File: " + err.Error())
	}
	kind := mimeType(name)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		SetHeaders(w.Header())
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(content) // the client has left if that fails
	})
}

// mimeType returns the media type of a file. Package mime would ask the machine, which may say anything.
func mimeType(name string) string {
	return map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
	}[path.Ext(name)]
}

// Version returns a short text that differs if any file of these trees does.
func Version(trees ...fs.FS) string {
	sum := sha256.New()
	for _, tree := range trees {
		// The trees are embedded: nothing fails.
		_ = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				content, _ := fs.ReadFile(tree, name)
				_, _ = sum.Write([]byte(name + "\x00"))
				_, _ = sum.Write(content)
			}
			return err
		})
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
