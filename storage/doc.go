// Package storage holds all SQL. It implements the stores that the domains
// declare, on one SQL text for SQLite and for the MySQL protocol (MySQL 8,
// MariaDB 10.6+, TiDB).
//
// Writes go through lanes: one connection and one goroutine each, which runs up
// to 64 waiting callers in one transaction and commits once. SQLite has one
// lane, so its writers never meet; MySQL has several. Reads use a pool of
// their own and see everything that a Write that returned has written.
//
// What the SQL may use: BIGINT, SMALLINT, VARCHAR, MEDIUMTEXT, MEDIUMBLOB;
// times as BIGINT UTC milliseconds (0: none); ids from the application. It must
// not use ||, RETURNING, SKIP LOCKED, AUTO_INCREMENT or ON CONFLICT. Text
// compares by bytes on both dialects, except that MySQL ignores trailing
// spaces: domains trim what people type before it becomes a key.
package storage
