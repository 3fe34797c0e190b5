// Package endself ends or stops a fixture's own process from outside of its
// program, as another process would do it.
package endself
