package render

import (
	"strings"
	"testing"
	"testing/quick"

	"pgregory.net/rapid"
)

func sides(spans []Span) (a, b string) {
	var left, right strings.Builder
	for _, s := range spans {
		if s.Op != Insert {
			left.WriteString(s.Text)
		}
		if s.Op != Delete {
			right.WriteString(s.Text)
		}
	}
	return left.String(), right.String()
}

func TestCompareKeepsBothSides(t *testing.T) {
	words := []string{"支部", "党员", "学习", "2025", "meeting", "，", "。", "\n", " ", "café", "—", "\xff", "😀", "\ufffd"}
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 40).Draw(t, "w"), "")
		})
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		if x, y := sides(Compare(a, b)); x != a || y != b {
			t.Fatalf("lost text:\n%q → %q\n%q → %q", a, x, b, y)
		}
	})
	if err := quick.Check(func(a, b string) bool {
		x, y := sides(Compare(a, b))
		return x == a && y == b
	}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestCompareReadsLikeWords(t *testing.T) {
	got := Compare("支部于6月18日召开党员大会，version one。", "支部于7月18日召开支委会，version two。")
	want := []Span{
		{Equal, "支部于"},
		{Delete, "6"},
		{Insert, "7"},
		{Equal, "月18日召开"},
		{Delete, "党员大"},
		{Insert, "支委"},
		{Equal, "会，version "},
		{Delete, "one"},
		{Insert, "two"},
		{Equal, "。"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("span %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

const notice = `为深入学习贯彻党的二十大精神，推动主题教育走深走实，望江社区党支部定于6月18日下午三点在社区党群服务中心二楼会议室召开党员大会，
学习《中国共产党章程》有关内容，讨论上半年工作总结和下半年工作计划，研究预备党员转正事宜。请全体党员提前安排好工作，准时参加，
因故不能参加的，请于6月17日前向支部书记书面请假。会议期间请将手机调至静音，认真做好记录，会后以小组为单位开展讨论并提交心得体会。`

const other = `近日，城南街道组织开展夏季防汛应急演练，社区干部、志愿者和辖区居民代表共一百余人参加。演练模拟暴雨红色预警发布后，
河道水位快速上涨、低洼小区出现积水的情景，各小组按照预案迅速开展人员转移、物资调配、排水抢险等工作。
街道负责人表示，将以此次演练为契机，进一步完善预案，补齐短板，切实保障群众生命财产安全。`

// Two notices from one template about different things are not duplicates.
const template = `为进一步加强廉政教育，望江社区党支部定于9月5日上午九点在区廉政教育基地开展主题党日活动，
参观廉政警示教育展，观看专题纪录片，重温入党誓词。请全体党员佩戴党徽，在社区门口集合乘车，
因故不能参加的，请提前一天向组织委员说明情况。活动结束后请每名党员撰写一篇观后感，由宣传委员汇总。`

func TestNearDuplicates(t *testing.T) {
	base := SimHash(notice)
	near := map[string]string{
		"same":       notice,
		"spacing":    strings.ReplaceAll(strings.ReplaceAll(notice, "\n", ""), "，", ", "),
		"new date":   strings.ReplaceAll(notice, "6月18日", "7月2日"),
		"word":       strings.ReplaceAll(notice, "下午三点", "上午九点半"),
		"lead added": "【通知】各位党员同志：" + notice,
		"cut end":    notice[:strings.Index(notice, "会后以小组")],
	}
	for name, text := range near {
		d, r := Distance(base, SimHash(text)), resemblance(notice, text)
		t.Logf("%s: distance %d, resemblance %.2f", name, d, r)
		if d > NearDuplicate || r < 0.5 {
			t.Errorf("%s: distance %d, resemblance %.2f", name, d, r)
		}
	}
	for name, text := range map[string]string{"other story": other, "same template": template, "empty": ""} {
		d, r := Distance(base, SimHash(text)), resemblance(notice, text)
		t.Logf("%s: distance %d, resemblance %.2f", name, d, r)
		if d <= NearDuplicate || r >= 0.5 {
			t.Errorf("%s passes for a duplicate: distance %d, resemblance %.2f", name, d, r)
		}
	}
}

func TestDigest(t *testing.T) {
	if got := Digest(strings.Repeat("汉", 60)); got != strings.Repeat("汉", 54) {
		t.Error(got)
	}
	if got := Digest("  短\n 文 "); got != "短 文" {
		t.Errorf("%q", got)
	}
}

// resemblance is the share of shingles two texts have in common (Jaccard),
// 0–1. From about 0.5 on, people call two articles the same.
func resemblance(a, b string) float64 {
	sa, sb := map[uint64]bool{}, map[uint64]bool{}
	shingles(a, func(h uint64) { sa[h] = true })
	shingles(b, func(h uint64) { sb[h] = true })
	if len(sa) == 0 || len(sb) == 0 {
		return 0
	}
	both := 0
	for h := range sa {
		if sb[h] {
			both++
		}
	}
	return float64(both) / float64(len(sa)+len(sb)-both)
}
