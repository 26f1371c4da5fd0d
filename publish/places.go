package publish

import (
	"sync"

	"tongxin/internal/ids"
)

// places are a bounded number of places that accounts share. Each account
// leaves a quarter of what the others left, so that one platform account that
// hangs does not keep the others from their readers.
type places struct {
	mu    sync.Mutex
	freed *sync.Cond
	total int
	used  int
	held  map[ids.ID]int // accounts that hold none are absent
}

func newPlaces(total int) *places {
	p := &places{total: total, held: map[ids.ID]int{}}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// offer says how many places may be given away without asking to whom, and
// which accounts get none.
func (p *places) offer() (n int, full []ids.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = p.room(0)
	for account := range p.held {
		if room := p.room(account); room > 0 {
			n = min(n, room)
		} else {
			full = append(full, account)
		}
	}
	return n, full
}

// room is how many more places the account may take.
func (p *places) room(account ids.ID) int {
	held := p.held[account]
	left := p.total - p.used + held // by the others
	return min((left*3+3)/4-held, p.total-p.used)
}

// take gives the account a place that offer promised.
func (p *places) take(account ids.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[account]++
	p.used++
}

// wait takes a place as soon as the account may have one.
func (p *places) wait(account ids.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.room(account) <= 0 {
		p.freed.Wait()
	}
	p.held[account]++
	p.used++
}

func (p *places) leave(account ids.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used--
	if p.held[account]--; p.held[account] == 0 {
		delete(p.held, account)
	}
	p.freed.Broadcast()
}
