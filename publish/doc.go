// Package publish owns image-text posts: writing, review (三审三校), the
// calendar, and the queue that brings a post to a platform exactly once.
//
// It declares what it needs (Store, Platform, Blobs) beside the code that uses
// it and imports nothing but internal packages and its own pure sub-packages:
// render, lint, picture and feed. It never knows HTTP, SQL or WeChat.
package publish
