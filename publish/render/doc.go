// Package render turns the source of an article (Markdown or rich HTML) into
// the HTML that survives in a WeChat article, and into plain text.
//
// Every source, trusted or pasted, takes one road: it is read by a tolerant
// tokenizer into a small model of blocks and runs, and only that model is
// written. So nothing reaches the output that the writer does not know how to
// write: no script, no class or id, no url(), no element outside the
// allow-list, whatever was typed or pasted.
//
// What survives was gathered from the platform's documentation and by trial
// (see docs/architecture.md): inline style only; section rather than div;
// flat lists; <br> and &nbsp; in code; backgrounds on td; an explicit colour
// on p; external links dead, external pictures dropped silently.
//
// The package has no storage, no network and no clock (except the time limit
// of Compare). All functions are safe for concurrent use.
package render
