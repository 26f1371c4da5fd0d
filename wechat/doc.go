// Package wechat is the client of the WeChat official-account API and the
// parser of its callbacks.
//
// It owns: the mapping of every known host to one configured base (and the
// refusal of every other host), stable tokens, typed and redacted errors, and
// the calls that publishing needs. It keeps no state but tokens, knows no SQL
// and no post, and never repeats a call that may have had an effect.
//
// From github.com/silenceper/wechat/v2 only package util is used, for the
// message cipher. Its HTTP side is not: it goes through one process-wide
// client without a timeout, it decodes publish_id as a number (a string makes
// an accepted submit look failed), it has no clientmsgid and no upload from
// memory, and its errors carry addresses with tokens in them. An own caller
// leaves nothing process-wide to mutate.
package wechat
