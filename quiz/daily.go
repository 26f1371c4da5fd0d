package quiz

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// DailyInput is how an organisation's 每日答题 is made. It holds for everything
// under it that has none of its own.
type DailyInput struct {
	Enabled    bool     `json:"enabled"`
	Count      int      `json:"count" minimum:"1" maximum:"20"`
	Topics     []string `json:"topics,omitempty" maxItems:"20" doc:"any of them; none: all"`
	Difficulty int      `json:"difficulty,omitempty" minimum:"0" maximum:"5" doc:"at most; 0: any"`
}

// Daily is the setting of one organisation.
type Daily struct {
	OrgID ids.ID `json:"orgId"`
	DailyInput
	Version   int64     `json:"version" doc:"0: never set"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	UpdatedBy string    `json:"updatedBy,omitempty"`
	OrgPath   string    `json:"-"`
	OrgName   string    `json:"-"`
}

// freshDays is for how many days a daily question does not come again, as long
// as there are others.
const freshDays = 30

// DailySetting returns the setting of an organisation.
func (s *Exams) DailySetting(ctx context.Context, actor *authz.Actor, org ids.ID) (*Daily, error) {
	o, err := s.place(ctx, actor, Read, org)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Dailies(ctx, []ids.ID{org})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return &Daily{OrgID: o.ID, DailyInput: DailyInput{Count: 5, Topics: []string{}}}, nil
	}
	return &list[0], nil
}

func (s *Exams) place(ctx context.Context, actor *authz.Actor, right authz.Right, org ids.ID) (Place, error) {
	o, err := s.cfg.Org(ctx, org)
	if err != nil {
		return o, err
	}
	if actor.Can(right, o.Path) {
		return o, nil
	}
	if actor.Can(Read, o.Path) {
		return o, errs.New(errs.Forbidden, "您没有管理“%s”每日答题的权限。", o.Name)
	}
	return o, errs.Missing("组织")
}

// SaveDaily changes the setting; it holds from the next day's quiz that nobody
// has opened.
func (s *Exams) SaveDaily(ctx context.Context, actor *authz.Actor, org ids.ID, version int64, in DailyInput) (*Daily, error) {
	o, err := s.place(ctx, actor, Manage, org)
	if err != nil {
		return nil, err
	}
	var f errs.Fields
	if in.Count < 1 || in.Count > 20 {
		f.Add("count", "每天的题数请填 1 到 20。")
	}
	if in.Difficulty < 0 || in.Difficulty > 5 {
		f.Add("difficulty", "难度请填 1 到 5，或填 0 表示不限。")
	}
	for i := range in.Topics {
		in.Topics[i] = strings.TrimSpace(in.Topics[i])
		text(&f, fmt.Sprintf("topics[%d]", i), "知识点", in.Topics[i], MaxTopic, true)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	d := &Daily{OrgID: o.ID, OrgPath: o.Path, OrgName: o.Name, DailyInput: in, Version: version + 1, UpdatedAt: s.now(), UpdatedBy: actor.Name}
	if in.Enabled {
		pool, err := s.dailyPool(ctx, d, nil)
		if err != nil {
			return nil, err
		}
		if len(pool) < in.Count {
			return nil, errs.Bad("count", "题库里符合条件、能自动评分的题只有 %d 道，不够每天 %d 道；请增加题目或放宽条件。", len(pool), in.Count)
		}
	}
	e := trail.Entry{Actor: actor, Action: "daily.save", Object: "org", ID: o.ID, OrgID: o.ID, OrgPath: o.Path, Detail: map[string]string{
		"enabled": fmt.Sprint(in.Enabled), "count": fmt.Sprint(in.Count), "topics": strings.Join(in.Topics, "、"),
	}}
	if err := s.cfg.Store.SaveDaily(ctx, d, version, e); err != nil {
		return nil, err
	}
	return d, nil
}

// dailyPool is what a day may draw from: what the program can grade and no exam
// keeps back.
func (s *Exams) dailyPool(ctx context.Context, d *Daily, without map[ids.ID]bool) ([]Ref, error) {
	topics := d.Topics
	if len(topics) == 0 {
		topics = []string{""}
	}
	var out []Ref
	for _, t := range topics {
		list, err := s.open(ctx, authz.Ancestors(d.OrgPath), t, without)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, byID)
	out = slices.Compact(out)
	if d.Difficulty == 0 {
		return out, nil
	}
	contents, err := s.content(ctx, out)
	if err != nil {
		return nil, err
	}
	kept := out[:0]
	for i, r := range out {
		if contents[i].Difficulty <= d.Difficulty {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// today is the day in China and when it begins.
func today(now time.Time) (string, time.Time) {
	t := now.In(clock.Shanghai())
	return t.Format(time.DateOnly), time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()).UTC()
}

// dailyPaper finds or makes the quiz of the day for whom the actor is: the
// setting of the nearest organisation above. Nil: there is none. Everybody of
// one setting gets the same questions; whoever comes first makes the paper.
func (s *Exams) dailyPaper(ctx context.Context, actor *authz.Actor) (*Paper, error) {
	above := actor.Above(Take)
	list, err := s.cfg.Store.Dailies(ctx, above)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	d := slices.MaxFunc(list, func(a, b Daily) int { return cmp.Compare(len(a.OrgPath), len(b.OrgPath)) })
	if !d.Enabled {
		return nil, nil
	}
	date, begins := today(s.now())
	p, err := s.cfg.Store.DailyPaper(ctx, d.OrgID, date)
	if err == nil || !errs.Is(err, errs.NotFound) {
		return p, err
	}
	if p, err = s.makeDaily(ctx, &d, date, begins); err != nil || p == nil {
		return nil, err
	}
	e := paperEntry(authz.SystemActor("每日答题"), "daily.make", p, map[string]string{"day": date, "questions": fmt.Sprint(p.Questions)})
	if err := s.cfg.Store.AddDailyPaper(ctx, p, e); err != nil {
		return nil, err
	}
	return s.cfg.Store.DailyPaper(ctx, d.OrgID, date)
}

func (s *Exams) makeDaily(ctx context.Context, d *Daily, date string, begins time.Time) (*Paper, error) {
	recent, err := s.cfg.Store.DailyRecent(ctx, d.OrgID, begins.AddDate(0, 0, -freshDays))
	if err != nil {
		return nil, err
	}
	used := map[ids.ID]bool{}
	for _, id := range recent {
		used[id] = true
	}
	pool, err := s.dailyPool(ctx, d, used)
	if err == nil && len(pool) < d.Count {
		pool, err = s.dailyPool(ctx, d, nil)
	}
	if err != nil || len(pool) == 0 {
		return nil, err
	}
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(d.OrgID)))
	h.Write([]byte(date))
	now := s.now()
	p := &Paper{
		ID: s.cfg.IDs.New(), OrgID: d.OrgID, OrgPath: d.OrgPath, OrgName: d.OrgName, Kind: DailyPaper, State: PaperPublished, Day: date,
		Title: "每日答题 " + date, Version: 1, CreatedAt: now, UpdatedAt: now, UpdatedBy: "每日答题", PublishedAt: now,
		Rules: PaperRules{
			OpensAt: begins, ClosesAt: begins.AddDate(0, 0, 1), Attempts: 1, Counting: CountBest, Partial: true,
			ShowScore: AfterSubmit, ShowKey: AfterSubmit, ShuffleQuestions: true, ShuffleOptions: true,
		},
	}
	for _, r := range Pick(pool, d.Count, h.Sum64()) {
		p.Pinned.Fixed = append(p.Pinned.Fixed, Item{r, 1})
		p.Items = append(p.Items, PaperItem{ID: r.ID, Revision: r.Revision, Points: 1})
	}
	p.Questions, p.Points = total(p.Items, nil)
	return p, nil
}

// DailyToday is 每日答题 as a member finds it.
type DailyToday struct {
	Paper     *Card       `json:"paper"`
	State     string      `json:"state" enum:"none,open,started,done"`
	AttemptID ids.ID      `json:"attemptId,omitzero"`
	Streak    int         `json:"streak" doc:"days in a row, up to today or yesterday"`
	Today     *DailyScore `json:"today,omitempty"`
}

// DailyScore is how a day went.
type DailyScore struct {
	Right int `json:"right"`
	Total int `json:"total"`
}

// Today returns the daily quiz of the member.
func (s *Exams) Today(ctx context.Context, actor *authz.Actor) (*DailyToday, error) {
	out := &DailyToday{State: "none"}
	days, err := s.cfg.Store.DailyDays(ctx, actor.ID, 400)
	if err != nil {
		return nil, err
	}
	date, begins := today(s.now())
	out.Streak = streak(days, date, begins)
	p, err := s.dailyPaper(ctx, actor)
	if err != nil || p == nil {
		return out, err
	}
	of, err := s.attemptsOf(ctx, actor, []Paper{*p})
	if err != nil {
		return nil, err
	}
	c := card(p, of[p.ID], s.now())
	out.Paper, out.State = &c, "open"
	for _, a := range of[p.ID] {
		if out.AttemptID, out.State = a.ID, "started"; a.State == AttemptOpen {
			continue
		}
		out.State = "done"
		marks, err := s.cfg.Store.Marks(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		out.Today = &DailyScore{Total: len(marks)}
		for _, m := range marks {
			if m.Share == 1 {
				out.Today.Right++
			}
		}
	}
	return out, nil
}

// streak counts days in a row, newest first, that end today or yesterday.
func streak(days []string, date string, begins time.Time) (n int) {
	at := begins
	if len(days) == 0 || days[0] != date {
		at = at.AddDate(0, 0, -1)
	}
	for _, d := range days {
		want, _ := today(at)
		if d != want {
			break
		}
		n++
		at = at.AddDate(0, 0, -1)
	}
	return n
}
