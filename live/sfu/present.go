package sfu

// Present is one connection whose peer has proved itself: media flow.
type Present struct {
	ID    string
	Room  string
	Token string // what it came in with
}

// Present lists who is connected now. It holds the node's lock for the length of
// one walk over the sessions.
func (n *Node) Present() []Present {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]Present, 0, len(n.sessions))
	for id, s := range n.sessions {
		switch s := s.(type) {
		case *viewer:
			if s.joined.Load() && s.room != nil {
				out = append(out, Present{id, s.room.name, s.token})
			}
		case *publisher:
			if s.ok.Load() && s.room != nil {
				out = append(out, Present{id, s.room.name, s.token})
			}
		}
	}
	return out
}

// End ends sessions by id, whoever they belong to; unknown ones are gone already.
func (n *Node) End(list []string) {
	for _, id := range list {
		n.mu.Lock()
		s := n.sessions[id]
		n.mu.Unlock()
		if s != nil {
			s.Close()
		}
	}
}
