// Package recent keeps values that were read a moment ago out of the way of the
// database. It decides nothing: values are shared and say themselves until when
// they are good.
package recent

import "sync"

// Cache is a bounded map. The zero value is not usable; New makes one. Safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	mu   sync.RWMutex
	max  int
	gen  uint64 // rises with Clear, so that a slow reader cannot put back what was dropped
	kept map[K]V
}

// New makes a cache of at most max values; a full one is emptied.
func New[K comparable, V any](max int) *Cache[K, V] {
	return &Cache[K, V]{max: max, kept: map[K]V{}}
}

// Get returns what is kept, the zero V for nothing, and the generation that Put
// wants back.
func (c *Cache[K, V]) Get(k K) (V, uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.kept[k], c.gen
}

// Put keeps v unless Clear came since the Get that gave gen.
func (c *Cache[K, V]) Put(k K, v V, gen uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gen != c.gen {
		return
	}
	if len(c.kept) >= c.max {
		clear(c.kept)
	}
	c.kept[k] = v
}

// Clear drops everything, also what is being read right now.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	c.gen++
	clear(c.kept)
	c.mu.Unlock()
}
