package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// saveEvery is how long changes gather before a snapshot is written.
const saveEvery = time.Second

// snapshot is the state on disk. Fault switches are not in it: a restart heals.
type snapshot struct {
	Version  int                        `json:"version"`
	Order    []string                   `json:"order"`
	Accounts map[string]json.RawMessage `json:"accounts"`
	Owners   []string                   `json:"owners"` // of pictures
	Users    []User                     `json:"users,omitempty"`
}

// changed asks for a snapshot, without waiting.
func (s *Sandbox) changed() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// saveLoop writes a snapshot a while after changes. Close writes the last one.
func (s *Sandbox) saveLoop() {
	for {
		select {
		case <-s.dirty:
		case <-s.ctx.Done():
			return
		}
		if !s.wait(saveEvery) {
			return
		}
		if err := s.save(); err != nil {
			s.log.Error("sandbox: snapshot", "err", err)
		}
	}
}

// save writes the snapshot beside the old one and renames it over it.
func (s *Sandbox) save() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	snap := snapshot{Version: 1, Accounts: map[string]json.RawMessage{}, Owners: s.images.list(), Users: s.Users()}
	for _, a := range s.all() {
		a.mu.Lock()
		raw, err := json.Marshal(a)
		id := a.Settings.AppID
		a.mu.Unlock()
		if err != nil {
			return fmt.Errorf("sandbox: snapshot: %w", err)
		}
		snap.Order = append(snap.Order, id)
		snap.Accounts[id] = raw
	}
	raw, err := json.Marshal(snap)
	if err != nil {
		return fmt.Errorf("sandbox: snapshot: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.cfg.StateFile), 0o700); err != nil {
		return fmt.Errorf("sandbox: snapshot: %w", err)
	}
	tmp := s.cfg.StateFile + ".tmp"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("sandbox: snapshot: %w", err)
	}
	return os.Rename(tmp, s.cfg.StateFile)
}

// load reads the snapshot, if there is one.
func (s *Sandbox) load() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	raw, err := os.ReadFile(s.cfg.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sandbox: snapshot: %w", err)
	}
	var snap snapshot
	if err := json.Unmarshal(raw, &snap); err != nil || snap.Version != 1 {
		return fmt.Errorf("sandbox: %s is not a snapshot of this version; remove it to start afresh", filepath.Base(s.cfg.StateFile))
	}
	for _, id := range snap.Order {
		a := newAccount(id)
		if err := json.Unmarshal(snap.Accounts[id], a); err != nil {
			return fmt.Errorf("sandbox: snapshot of %s: %w", id, err)
		}
		a.fill()
		for _, t := range a.Tokens {
			if !t.Sticky {
				s.tokens.put(t.Value, issued{appid: id, expires: t.Expires})
			}
		}
		s.accounts[id] = a
		s.order = append(s.order, id)
	}
	s.people.users = snap.Users
	s.images.restore(snap.Owners)
	return nil
}

// resume takes up the jobs that the last run left under way.
func (s *Sandbox) resume() {
	now := s.clock.Now()
	for _, a := range s.all() {
		a.mu.Lock()
		for _, j := range a.Jobs {
			if j.State != stateRunning {
				continue
			}
			finish := s.finishPublish
			if j.Kind == "mass" {
				finish = s.finishMass
			}
			s.after(max(0, j.Due.Sub(now)), func() { finish(a, j) })
		}
		a.mu.Unlock()
	}
}
