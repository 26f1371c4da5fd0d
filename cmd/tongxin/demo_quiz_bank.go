package main

import (
	"context"
	"fmt"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

// Sources of the demonstration's questions. Rules change: whoever uses them for
// more than a demonstration checks them against the text in force.
const (
	srcBranch   = "《中国共产党支部工作条例（试行）》（2018 年）"
	srcDues     = "《关于中国共产党党费收缴、使用和管理的规定》"
	srcLearning = "全国党员教育培训工作规划"
	srcTransfer = "党员组织关系管理的有关规定"
	srcHotline  = "GB/T 33358-2016《政府热线服务规范》"
)

// seedBank fills the bank of the committee, so that its branches may use it.
func (p *program) seedBank(ctx context.Context, system *authz.Actor, org ids.ID) error {
	for i, c := range demoQuestions() {
		if _, err := p.bank.Create(ctx, system, quiz.QuestionInput{OrgID: org, State: quiz.Active, Content: c}); err != nil {
			return fmt.Errorf("question %d of the demonstration: %w", i+1, err)
		}
	}
	return nil
}

// asked begins a question: topic, difficulty, source, stem.
func asked(kind quiz.Kind, topic string, difficulty int, source, stem, why string) quiz.Content {
	return quiz.Content{Kind: kind, Stem: stem, Explanation: why, Source: source, Topics: []string{topic}, Difficulty: difficulty}
}

// chosen adds options; those that are right begin with a star.
func chosen(c quiz.Content, options ...string) quiz.Content {
	for _, o := range options {
		text, right := strings.CutPrefix(o, "*")
		c.Options = append(c.Options, quiz.Option{Text: text, Right: right})
	}
	return c
}

// stated is a statement that is right or wrong.
func stated(right bool, c quiz.Content) quiz.Content {
	c.True = right
	return c
}

// filled adds blanks with numbers that must be exact, also written as words.
func filled(c quiz.Content, blanks ...quiz.Blank) quiz.Content {
	c.Blanks = blanks
	return c
}

func exactly(n float64, words ...string) quiz.Blank {
	return quiz.Blank{Accept: words, Number: &quiz.Number{Value: n}}
}

func wording(words ...string) quiz.Blank { return quiz.Blank{Accept: words} }

func ordered(c quiz.Content, items ...string) quiz.Content {
	c.Items = items
	return c
}

// matched adds pairs, left and right by turns.
func matched(c quiz.Content, extra []string, sides ...string) quiz.Content {
	for i := 0; i+1 < len(sides); i += 2 {
		c.Pairs = append(c.Pairs, quiz.Pair{Left: sides[i], Right: sides[i+1]})
	}
	c.Extra = extra
	return c
}

func written(c quiz.Content, rubric ...quiz.Criterion) quiz.Content {
	c.Rubric = rubric
	return c
}

// demoQuestions are about branch work, in all kinds.
func demoQuestions() []quiz.Content {
	var out []quiz.Content
	for _, part := range [][]quiz.Content{demoMeetings(), demoVotes(), demoBranch(), demoAppraisal(), demoLearning(), demoDues(), demoTransfer(), demoService()} {
		out = append(out, part...)
	}
	return out
}

func demoMeetings() []quiz.Content {
	const topic = "三会一课"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 1, srcBranch, "支部党员大会一般多久召开一次？", "支部党员大会一般**每季度**召开 1 次。"), "每月", "*每季度", "每半年", "每年"),
		chosen(asked(quiz.Single, topic, 1, srcBranch, "支部委员会会议一般多久召开一次？", "支委会一般**每月**召开 1 次。"), "每周", "*每月", "每季度", "每年"),
		chosen(asked(quiz.Single, topic, 1, srcBranch, "党小组会一般多久召开一次？", "党小组会一般**每月**召开 1 次。"), "*每月", "每季度", "每半年", "每年"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "党委书记每年至少讲几次党课？", "党委（党组）书记每年至少讲 1 次党课。"), "*1 次", "2 次", "4 次", "12 次"),
		chosen(asked(quiz.Multiple, topic, 1, srcBranch, "“三会一课”中的“三会”包括哪些？", "“三会”是支部党员大会、支部委员会会议、党小组会，“一课”是党课。"),
			"*支部党员大会", "*支部委员会会议", "*党小组会", "组织生活会", "主题党日"),
		stated(true, asked(quiz.TrueFalse, topic, 1, srcBranch, "主题党日一般每月相对固定 1 天开展。", "党支部每月相对固定 1 天开展主题党日。")),
		stated(false, asked(quiz.TrueFalse, topic, 2, srcBranch, "支部党员大会一般每年召开 1 次就可以了。", "支部党员大会一般每季度召开 1 次。")),
		filled(asked(quiz.Fill, topic, 2, srcBranch, "支部委员会会议一般每 ___ 召开 1 次，支部党员大会一般每 ___ 召开 1 次。", "支委会一般每月 1 次，支部党员大会一般每季度 1 次。"),
			wording("月", "个月", "一个月"), wording("季度", "个季度", "一季度")),
		matched(asked(quiz.Match, topic, 2, srcBranch, "请把会议或活动与一般的频次连起来。", "组织生活会每年至少召开 1 次。"), []string{"每五年一次"},
			"支部党员大会", "每季度一次", "支部委员会会议", "每月一次", "组织生活会", "每年至少一次"),
		written(asked(quiz.Short, topic, 3, srcBranch, "请说明“三会一课”的内容，以及各项会议一般的召开频次。", "支部党员大会一般每季度一次；支委会、党小组会一般每月一次；党课按计划安排，党委书记每年至少讲一次。"),
			quiz.Criterion{Text: "说出支部党员大会、支部委员会会议、党小组会和党课", Share: 0.5}, quiz.Criterion{Text: "频次正确", Share: 0.5}),
	}
}

func demoVotes() []quiz.Content {
	const topic = "会议与表决"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 2, srcBranch, "支部党员大会须有多少有表决权的党员到会才能召开？", "有表决权的到会党员须超过半数。"), "三分之一以上", "*半数以上", "三分之二以上", "全部"),
		chosen(asked(quiz.Single, topic, 3, srcBranch, "支部党员大会作出决议，赞成人数须超过哪个数的半数？", "以**应到会**有表决权的党员计算，不是以实到会的计算。"), "实到会有表决权的党员", "*应到会有表决权的党员", "支部全体党员和列席人员", "支部委员会委员"),
		chosen(asked(quiz.Single, topic, 3, srcBranch, "党支部进行选举时，有表决权的到会党员须超过应到会党员的多少？", "选举须有超过五分之四的应到会党员到会。"), "二分之一", "三分之二", "四分之三", "*五分之四"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "支部委员会会议须有多少委员到会方可进行？", "支委会须有半数以上委员到会。"), "任意人数", "*半数以上", "三分之二以上", "全部"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "党支部选举采用什么方式？", "选举采用无记名投票。"), "举手表决", "*无记名投票", "口头提名", "鼓掌通过"),
		chosen(asked(quiz.Multiple, topic, 4, srcBranch, "经批准，哪些党员可以不计入支部党员大会的应到会人数？", "患病不能表达意志、出国半年以上、被拘留或服刑、长期卧床、外出六个月以上未转组织关系的，经批准可以不计入。"),
			"*患病不能表达本人意志的", "*出国半年以上的", "*因病长期卧床的", "当天加班的", "临时不想参加的"),
		stated(true, asked(quiz.TrueFalse, topic, 1, srcBranch, "预备党员没有表决权。", "预备党员没有表决权、选举权和被选举权。")),
		stated(false, asked(quiz.TrueFalse, topic, 3, srcBranch, "接收多名新党员时，可以把几个人放在一起一次表决。", "须**逐个**讨论，逐个表决，采用无记名投票。")),
		stated(true, asked(quiz.TrueFalse, topic, 4, srcBranch, "讨论接收新党员时，因故不能到会的党员事先正式提出的书面意见，应当统计在票数内。", "缺席党员会前正式的书面意见计入票数。")),
		stated(false, asked(quiz.TrueFalse, topic, 3, srcBranch, "支部党员大会的决议，只要到会党员的半数以上赞成就通过。", "须超过**应到会**有表决权党员的半数。")),
		filled(asked(quiz.Fill, topic, 4, srcBranch, "某党支部应到会有表决权的党员 30 名，通过一项决议至少要有 ___ 票赞成。", "须超过应到会的半数：$30 \\div 2 = 15$，超过 15 即至少 16 票。"), exactly(16, "十六")),
		filled(asked(quiz.Fill, topic, 5, srcBranch, "某党支部应到会有表决权的党员 20 名，召开选举大会至少要有 ___ 名到会。", "到会须超过五分之四：$20 \\times \\frac{4}{5} = 16$，超过 16 即至少 17 名。"), exactly(17, "十七")),
		chosen(asked(quiz.Multiple, topic, 3, "党支部会议记录的一般要求", "党支部会议记录一般要写明哪些内容？", "会议记录要写明时间、地点、应到和实到、缺席及原因、列席、主持、记录、议程、发言、决议和表决结果，并签名。"),
			"*应到、实到人数和缺席原因", "*主持人和记录人", "*决议和表决的赞成、反对、弃权票数", "与会者的家庭住址", "*会议的起止时间和地点"),
	}
}

func demoBranch() []quiz.Content {
	const topic = "支部设置"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 1, srcBranch, "成立党支部，至少要有几名正式党员？", "凡有正式党员 3 人以上的，应当成立党支部。"), "2 名", "*3 名", "5 名", "7 名"),
		chosen(asked(quiz.Single, topic, 1, srcBranch, "党支部党员人数一般不超过多少人？", "党支部党员人数一般不超过 50 人。"), "30 人", "*50 人", "80 人", "100 人"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "正式党员不足多少人的党支部，设 1 名书记，不设支部委员会？", "正式党员不足 7 人的党支部设书记 1 名。"), "3 人", "5 人", "*7 人", "10 人"),
		chosen(asked(quiz.Single, topic, 3, srcBranch, "支部委员会由几人组成？", "支委会由 3 至 5 人组成，一般不超过 7 人。"), "1 至 3 人", "*3 至 5 人，一般不超过 7 人", "5 至 9 人", "7 至 11 人"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "村和社区的党支部委员会每届任期几年？", "村和社区党支部委员会每届任期 5 年。"), "2 年", "3 年", "4 年", "*5 年"),
		stated(true, asked(quiz.TrueFalse, topic, 2, srcBranch, "除村和社区外，党支部委员会每届任期一般为 3 年。", "党支部委员会每届任期 3 年，村和社区为 5 年。")),
		stated(false, asked(quiz.TrueFalse, topic, 2, srcBranch, "有 2 名正式党员和 3 名预备党员，就可以成立党支部。", "须有正式党员 3 人以上，预备党员不计入。")),
		filled(asked(quiz.Fill, topic, 2, srcBranch, "成立党支部，正式党员不少于 ___ 人；党支部党员一般不超过 ___ 人。", "3 人以上成立，一般不超过 50 人。"), exactly(3, "三"), exactly(50, "五十")),
		matched(asked(quiz.Match, topic, 3, srcBranch, "请把党支部的情况与规定连起来。", "不足 7 名正式党员的设书记 1 名；村和社区任期 5 年。"), []string{"设 9 名委员"},
			"正式党员不足 7 人", "不设支部委员会", "村和社区党支部委员会", "每届任期 5 年", "其他党支部委员会", "每届任期 3 年"),
	}
}

func demoAppraisal() []quiz.Content {
	const topic = "组织生活会与民主评议"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 1, srcBranch, "党支部每年至少召开几次组织生活会？", "党支部每年至少召开 1 次组织生活会。"), "*1 次", "2 次", "3 次", "4 次"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "组织生活会一般安排在第几季度？", "组织生活会一般安排在第四季度。"), "第一季度", "第二季度", "第三季度", "*第四季度"),
		chosen(asked(quiz.Single, topic, 2, srcBranch, "党支部一般多久开展一次民主评议党员？", "民主评议党员一般每年 1 次。"), "每月", "每季度", "*每年", "每五年"),
		chosen(asked(quiz.Single, topic, 4, "民主评议党员的一般要求", "民主评议党员，评为优秀的比例不超过多少？", "评为优秀的比例不超过三分之一。"), "十分之一", "五分之一", "*三分之一", "二分之一"),
		chosen(asked(quiz.Multiple, topic, 2, "民主评议党员的一般要求", "民主评议党员的等次有哪些？", "等次为优秀、合格、基本合格、不合格。"), "*优秀", "*合格", "*基本合格", "*不合格", "良好"),
		stated(true, asked(quiz.TrueFalse, topic, 3, "民主评议党员的一般要求", "预备党员参加民主评议，但不评定等次。", "预备党员参加，不评等次。")),
		stated(false, asked(quiz.TrueFalse, topic, 2, srcBranch, "组织生活会可以两年召开一次。", "每年至少召开 1 次。")),
		ordered(asked(quiz.Order, topic, 3, srcBranch, "请按先后顺序排列民主评议党员的步骤。", "个人自评、党员互评、民主测评、组织评定。"), "个人自评", "党员互评", "民主测评", "组织评定"),
		written(asked(quiz.Short, topic, 4, srcBranch, "请说明民主评议党员的步骤和等次。", "步骤：个人自评、党员互评、民主测评、组织评定；等次：优秀、合格、基本合格、不合格。"),
			quiz.Criterion{Text: "四个步骤及其顺序", Share: 0.6}, quiz.Criterion{Text: "四个等次", Share: 0.4}),
	}
}

func demoLearning() []quiz.Content {
	const topic = "学习教育"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 1, srcLearning, "党员每年集中学习培训时间一般不少于多少学时？", "党员每年不少于 32 学时。"), "16 学时", "24 学时", "*32 学时", "56 学时"),
		chosen(asked(quiz.Single, topic, 2, srcLearning, "基层党组织书记和班子成员每年集中学习培训时间一般不少于多少学时？", "书记和班子成员每年不少于 56 学时，至少参加 1 次集中培训。"), "32 学时", "40 学时", "*56 学时", "80 学时"),
		stated(true, asked(quiz.TrueFalse, topic, 2, srcLearning, "基层党组织书记和班子成员每年至少参加 1 次集中培训。", "除不少于 56 学时外，还要至少参加 1 次集中培训。")),
		stated(false, asked(quiz.TrueFalse, topic, 2, srcLearning, "党员每年集中学习培训 20 学时就达到了要求。", "一般不少于 32 学时。")),
		filled(asked(quiz.Fill, topic, 2, srcLearning, "党员每年集中学习培训一般不少于 ___ 学时，基层党组织书记和班子成员一般不少于 ___ 学时。", "分别为 32 学时和 56 学时。"), exactly(32, "三十二"), exactly(56, "五十六")),
		filled(asked(quiz.Fill, topic, 3, "常用的学时折算方法：1 小时 1 学时，半天 4 学时，1 天 8 学时", "按 1 天 8 学时、半天 4 学时折算，集中培训 3 天半合 ___ 学时。", "$3 \\times 8 + 4 = 28$"), exactly(28, "二十八")),
	}
}

func demoDues() []quiz.Content {
	const topic = "党费"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 2, srcDues, "按月领取工资的党员，每月党费计算基数在 3000 元以下（含 3000 元）的，按多少交纳？", "3000 元以下（含 3000 元）的，交纳 0.5%。"), "*0.5%", "1%", "1.5%", "2%"),
		chosen(asked(quiz.Single, topic, 2, srcDues, "党费计算基数在 10000 元以上的，按计算基数的多少交纳？", "10000 元以上的，交纳 2%。"), "0.5%", "1%", "1.5%", "*2%"),
		chosen(asked(quiz.Single, topic, 3, srcDues, "学生党员每月交纳多少党费？", "学生党员、下岗失业的党员每月交纳 0.2 元。"), "*0.2 元", "1 元", "2 元", "5 元"),
		matched(asked(quiz.Match, topic, 3, srcDues, "请把在职党员的每月党费计算基数与交纳比例连起来。", "3000 元以下 0.5%，3000 至 5000 元 1%，5000 至 10000 元 1.5%，10000 元以上 2%。"), []string{"3%"},
			"3000 元以下（含 3000 元）", "0.5%", "3000 元以上至 5000 元（含 5000 元）", "1%", "5000 元以上至 10000 元（含 10000 元）", "1.5%", "10000 元以上", "2%"),
		filled(asked(quiz.Fill, topic, 3, srcDues, "某在职党员每月党费计算基数为 4000 元，每月应交党费 ___ 元。", "3000 元以上至 5000 元的按 1% 交纳：$4000 \\times 1\\% = 40$（元）。"), exactly(40, "四十")),
		filled(asked(quiz.Fill, topic, 3, srcDues, "某在职党员每月党费计算基数为 8000 元，每月应交党费 ___ 元。", "5000 元以上至 10000 元的按 1.5% 交纳：$8000 \\times 1.5\\% = 120$（元）。"), exactly(120, "一百二十")),
		filled(asked(quiz.Fill, topic, 4, srcDues, "某在职党员每月党费计算基数为 12000 元，每月应交党费 ___ 元。", "10000 元以上的，按全部基数的 2% 交纳：$12000 \\times 2\\% = 240$（元）。"), exactly(240, "二百四十", "两百四十")),
		stated(false, asked(quiz.TrueFalse, topic, 3, srcDues, "党费按计算基数分段累进计算，像个人所得税一样逐段相加。", "按全部计算基数乘以所在档次的比例，不分段累进。")),
		stated(true, asked(quiz.TrueFalse, topic, 3, srcDues, "农民党员每月交纳党费 0.2 元至 1 元。", "农民党员每月交纳 0.2—1 元。")),
		ordered(asked(quiz.Order, topic, 2, srcDues, "请按在职党员的党费交纳比例，从低到高排列下列计算基数。", "依次为 0.5%、1%、1.5%、2%。"), "2800 元", "4500 元", "9000 元", "15000 元"),
	}
}

func demoTransfer() []quiz.Content {
	const topic = "组织关系"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 2, srcTransfer, "党员组织关系介绍信的有效期一般不超过多久？", "有效期一般不超过 3 个月。"), "1 个月", "*3 个月", "6 个月", "12 个月"),
		chosen(asked(quiz.Single, topic, 3, srcTransfer, "党员外出多长时间以上，应当转移组织关系？", "外出 6 个月以上的，应当转移组织关系。"), "1 个月", "3 个月", "*6 个月", "2 年"),
		chosen(asked(quiz.Multiple, topic, 3, srcTransfer, "关于组织关系介绍信，哪些说法是对的？", "介绍信有效期一般不超过 3 个月，接收后要把回执联寄回，存根保存 10 年。"), "*有效期一般不超过 3 个月", "*接收党组织要退回回执", "*存根保存 10 年", "存根用完就可以销毁"),
		filled(asked(quiz.Fill, topic, 4, srcTransfer, "党员组织关系介绍信的存根要保存 ___ 年。", "存根保存 10 年。"), exactly(10, "十")),
		stated(false, asked(quiz.TrueFalse, topic, 2, srcTransfer, "接收党组织收到介绍信后，不需要给转出党组织回执。", "接收后要退回回执。")),
		ordered(asked(quiz.Order, topic, 4, srcTransfer, "请按先后顺序排列转移组织关系的一般步骤。", "提出申请、转出方同意、接收方同意，最后归档。"), "党员提出申请", "转出的党委同意", "接收的党委同意", "归档"),
	}
}

func demoService() []quiz.Content {
	const topic = "群众诉求"
	return []quiz.Content{
		chosen(asked(quiz.Single, topic, 3, srcHotline, "政府热线的受理时间要求是什么？", "提供 7×24 小时受理。"), "工作日 8 小时", "每天 12 小时", "*7×24 小时", "工作日 24 小时"),
		ordered(asked(quiz.Order, topic, 4, srcHotline, "请按先后顺序排列群众诉求的办理环节。", "受理、调度、办理、回复、督办、办结、回访、评价。"), "受理", "调度", "办理", "回复", "督办", "办结", "回访", "评价"),
		written(asked(quiz.Short, topic, 3, "", "群众反映小区路灯不亮，您作为支部的接单党员会怎样办理？请写出主要环节。", "从接单、到现场核实、联系责任单位、限时办理，到回复群众、请群众评价和回访，说清即可。"),
			quiz.Criterion{Text: "核实并联系责任单位办理", Share: 0.5}, quiz.Criterion{Text: "向群众回复", Share: 0.3}, quiz.Criterion{Text: "回访或请群众评价", Share: 0.2}),
	}
}
