// Package defects has nothing but tests, which show defects of other implementations to be where they are
// said to be: each fails as soon as the defect is gone. The tests that exclude them here are listed
// in defects_test.go of the root package.
package defects
