package signin_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

// Whatever two holders of refresh tokens do in whatever order: at most one
// chain lives on, and once an old token came back after the moment of a race
// nobody has access any more.
func TestRefreshNeverLeavesTwoChains(t *testing.T) {
	h := sqliteHouse(t)
	m := h.member("马国强", "13812345678")
	rapid.Check(t, func(rt *rapid.T) {
		first := h.byLink(m).Tokens
		tokens, newest, dead := []string{first.Refresh}, 0, false
		rotated := h.clock.Now()
		access, told := first.Access, h.stolen
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			h.clock.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 29, 30, 31, 600}).Draw(rt, "seconds")) * time.Second)
			i := rapid.IntRange(0, len(tokens)-1).Draw(rt, "token")
			got, _, err := h.svc.Refresh(t.Context(), tokens[i])
			switch {
			case dead:
				if !errs.Is(err, errs.Unauthorized) {
					rt.Fatalf("a dead session gave %v", err)
				}
			case i == newest:
				if err != nil || got.Refresh == tokens[i] {
					rt.Fatalf("the newest token: %v", err)
				}
				tokens, newest, rotated, access = append(tokens, got.Refresh), newest+1, h.clock.Now(), got.Access
			case i == newest-1 && h.clock.Now().Sub(rotated) < 30*time.Second:
				if err != nil || got.Refresh != tokens[newest] {
					rt.Fatalf("a race of one device: %v, the same successor: %v", err, got.Refresh == tokens[newest])
				}
			default:
				if !errs.Is(err, errs.Unauthorized) {
					rt.Fatalf("an old token gave %v", err)
				}
				dead = true
			}
			if dead && h.good(access) {
				rt.Fatal("a session whose token was copied still has access")
			}
		}
		if dead {
			told++
		}
		if h.stolen != told {
			rt.Fatalf("the member is told %d times of what happened %d times", h.stolen, told)
		}
	})
}

func TestConcurrentRefreshIsOneRotation(t *testing.T) {
	h := sqliteHouse(t)
	tokens := h.byLink(h.member("马国强", "13812345678")).Tokens
	got := make([]string, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			next, _, err := h.svc.Refresh(t.Context(), tokens.Refresh)
			if err != nil {
				t.Error(err)
			}
			got[i] = next.Refresh
		})
	}
	wg.Wait()
	for _, g := range got {
		if g != got[0] || g == tokens.Refresh {
			t.Fatalf("successors differ: %v", got)
		}
	}
}
