package live

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
)

// Interval is a stretch of time, from up to but not including To.
type Interval struct{ From, To time.Time }

// Learned is how long somebody was there between from and to: the union of the
// intervals, so that two devices at once count once.
func Learned(list []Interval, from, to time.Time) time.Duration {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Interval) int { return a.From.Compare(b.From) })
	var sum time.Duration
	at := from
	for _, i := range list {
		if i.From.After(at) {
			at = i.From
		}
		end := i.To
		if end.After(to) {
			end = to
		}
		if end.After(at) {
			sum += end.Sub(at)
			at = end
		}
	}
	return sum
}

// Attendee is a person and the time spent.
type Attendee struct {
	ID      ids.ID    `json:"id"`
	Name    string    `json:"name"`
	OrgName string    `json:"orgName"`
	Role    Role      `json:"role" enum:"host,cohost,speaker,member,guest"`
	FirstAt time.Time `json:"firstAt,omitzero" doc:"first connected; absent: was let in, never connected"`
	LastAt  time.Time `json:"lastAt,omitzero" doc:"left for the last time; absent while there"`
	Times   int       `json:"times" doc:"how often connected"`
	Seconds int       `json:"seconds" doc:"learning time: how long connected while the lecture was open, each second once"`
	Here    bool      `json:"here" doc:"connected now"`
	Removed bool      `json:"removed" doc:"shut out by a host"`
}

// Attendance is who was there.
type Attendance struct {
	Room   *Room      `json:"room"`
	People []Attendee `json:"people" doc:"longest first"`
}

// Attendance lists who was let in, and how long each was there.
func (s *Service) Attendance(ctx context.Context, actor *authz.Actor, id ids.ID) (*Attendance, error) {
	r, err := s.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	people, seats, err := s.cfg.Store.People(ctx, id)
	if err != nil {
		return nil, err
	}
	until := r.EndedAt
	if until.IsZero() {
		until = s.cfg.Clock.Now()
	}
	of := map[ids.ID][]Seat{}
	for _, one := range seats {
		of[one.PersonID] = append(of[one.PersonID], one)
	}
	out := &Attendance{Room: r, People: make([]Attendee, 0, len(people))}
	for _, p := range people {
		out.People = append(out.People, attendee(p, of[p.ID], r.OpenedAt, until))
	}
	slices.SortStableFunc(out.People, func(a, b Attendee) int { return b.Seconds - a.Seconds })
	return out, nil
}

func attendee(p Person, seats []Seat, from, to time.Time) Attendee {
	a := Attendee{ID: p.ID, Name: p.Name, OrgName: p.OrgName, Role: p.Role, Times: len(seats), Removed: !p.RemovedAt.IsZero()}
	list := make([]Interval, len(seats))
	for i, s := range seats {
		if list[i] = (Interval{s.JoinedAt, s.LeftAt}); s.LeftAt.IsZero() {
			list[i].To, a.Here = to, true
		}
		if a.FirstAt.IsZero() || s.JoinedAt.Before(a.FirstAt) {
			a.FirstAt = s.JoinedAt
		}
		if s.LeftAt.After(a.LastAt) {
			a.LastAt = s.LeftAt
		}
	}
	if a.Here {
		a.LastAt = time.Time{}
	}
	a.Seconds = int(Learned(list, from, to) / time.Second)
	return a
}

// Sheet is the attendance as a spreadsheet. It returns a name for the file.
func (s *Service) Sheet(ctx context.Context, actor *authz.Actor, id ids.ID) (name string, body []byte, err error) {
	list, err := s.Attendance(ctx, actor, id)
	if err != nil {
		return "", nil, err
	}
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	const sheet = "签到与学时"
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return "", nil, err
	}
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return "", nil, err
	}
	rows := [][]any{{"姓名", "党支部", "身份", "首次进入", "最后离开", "进入次数", "学习时长（分钟）"}}
	for _, p := range list.People {
		rows = append(rows, []any{p.Name, p.OrgName, roleName(p.Role), day(p.FirstAt), day(p.LastAt), p.Times, p.Seconds / 60})
	}
	if err := w.SetColWidth(1, len(rows[0]), 18); err != nil {
		return "", nil, err
	}
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return "", nil, err
		}
		if err := w.SetRow(cell, row); err != nil {
			return "", nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return "", nil, err
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return "", nil, err
	}
	return list.Room.Title + "-签到与学时.xlsx", buf.Bytes(), nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai()).Format("2006-01-02 15:04:05")
}

func roleName(r Role) string {
	switch r {
	case RoleHost:
		return "主持人"
	case RoleCoHost:
		return "联席主持人"
	case RoleSpeaker:
		return "主讲人"
	case RoleGuest:
		return "来宾"
	case RoleMember:
	}
	return "党员"
}
