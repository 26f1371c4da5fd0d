package quiz

import "context"

func (s *Exams) bookSoon(context.Context, *sitting)     {}
func (s *Exams) BookKnown(context.Context) (int, error) { return 0, nil }
