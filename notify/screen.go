package notify

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Written is the text of an answer, for the content check.
type Written struct {
	Campaign, Member, Org ids.ID
	Text                  string
	At                    time.Time // a later answer replaces an earlier one
}

// Screened is what the content check says of it. Note is for who wrote it, or
// for who may not read it yet.
type Screened struct {
	Shown bool
	Note  string
}

func (s *Service) screen(ctx context.Context, list []Written) ([]Screened, error) {
	if s.Screen == nil || len(list) == 0 {
		return make([]Screened, len(list)), nil
	}
	return s.Screen(ctx, list)
}

// note tells the author of an answer how it stands with its text. Nothing is
// said of a text that others can read.
func (s *Service) note(ctx context.Context, actor *authz.Actor, it *Item) error {
	if it.Answer == nil || it.Answer.Text == "" {
		return nil
	}
	w := Written{Campaign: it.ID, Member: actor.ID, Text: it.Answer.Text, At: it.Answer.At}
	if len(actor.Grants) > 0 {
		w.Org = actor.Grants[0].OrgID
	}
	got, err := s.screen(ctx, []Written{w})
	if err == nil && !got[0].Shown {
		it.Answer.Note = got[0].Note
	}
	return err
}

// hide takes out of a list the texts that others may not read yet.
func (s *Service) hide(ctx context.Context, campaign ids.ID, rows []Recipient) error {
	var list []Written
	var at []int
	for i, r := range rows {
		if r.Answer != nil && r.Answer.Text != "" {
			list = append(list, Written{Campaign: campaign, Member: r.MemberID, Org: r.OrgID, Text: r.Answer.Text, At: r.Answer.At})
			at = append(at, i)
		}
	}
	got, err := s.screen(ctx, list)
	if err != nil {
		return err
	}
	for i, v := range got {
		if !v.Shown {
			rows[at[i]].Answer.Text, rows[at[i]].Answer.Note = "", "附言待审核"
		}
	}
	return nil
}
