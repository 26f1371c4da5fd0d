// Package sandbox is a simulator of the official-account and mini-program API
// over HTTP, strict
// enough to trust: it enforces the limits, token rules, quotas and delays of the
// platform, pushes encrypted events, and can be told to fail in the ways the
// platform fails. Its page shows a follower's phone.
//
// It owns its own reading of the rules and shares no code with package wechat,
// so that a misreading there cannot hide here. State lives in memory, with an
// optional snapshot file.
//
// Locks: Sandbox.mu, then account.mu; imageStore.mu, tokenIndex.mu, people.mu,
// faults.mu and callLog.mu are leaves. No lock is held while a call waits (latency,
// hanging, pushing).
package sandbox
