//go:build e2e

package main

import "testing"

// TestLectureInBrowser gives a lecture from the console and watches it on a phone:
// web/e2e/lecture.mjs.
func TestLectureInBrowser(t *testing.T) { browse(t, "lecture.mjs") }
