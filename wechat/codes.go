package wechat

import (
	"errors"
	"time"
)

// nextDay is the pause until the daily figures are reset.
const nextDay = time.Duration(-1)

// codeRow is what is known about one errcode. Say is a sentence for people: it
// says what to do.
type codeRow struct {
	code  int
	kind  Kind
	pause time.Duration
	say   string
}

// lookup finds the row of code.
func lookup(code int) (codeRow, bool) {
	for _, r := range codeRows() {
		if r.code == code {
			return r, true
		}
	}
	return codeRow{}, false
}

// codeRows lists the errcodes that an official account can meet. Source: the
// platform's pages on global return codes, drafts, publishing and mass
// sending; community reports for 45066 and 45067.
func codeRows() []codeRow {
	const m = time.Minute
	return []codeRow{
		{-1, Transient, 30 * time.Second, "微信服务器繁忙，请稍后再试。"},

		{40001, Auth, 0, "AppSecret 不正确，或访问令牌已失效。请在“账号”里重新填写 AppSecret。"},
		{40002, Permanent, 0, "取令牌的方式不被微信接受，请联系系统管理员。"},
		{40003, Permanent, 0, "接收人的 openid 不正确，或对方没有关注这个公众号。"},
		{40004, Content, 0, "文件类型不被微信接受，请换成 JPG 或 PNG 图片。"},
		{40005, Content, 0, "文件格式不被微信接受，请换成 JPG 或 PNG 图片。"},
		{40006, Content, 0, "文件太大，请压缩后再试（正文图片须小于 1 MB，封面须小于 10 MB）。"},
		{40007, Permanent, 0, "素材或草稿在微信里已不存在，可能已经发布或被删除。请先到公众号后台核对，再决定是否重新发布。"},
		{40008, Permanent, 0, "消息类型不被微信接受，请联系系统管理员。"},
		{40009, Content, 0, "图片太大，请压缩后再试（正文图片须小于 1 MB）。"},
		{40013, Auth, 0, "AppID 不正确，请在“账号”里核对。"},
		{40014, Auth, 0, "访问令牌无效，请检查是否有其他系统在使用同一个公众号，然后重试。"},
		{40029, Permanent, 0, "微信给的登录凭证无效或已过期，请重新打开页面再试。"},
		{40033, Content, 0, "内容里有微信不接受的特殊字符，请删除后再试。"},
		{40037, Permanent, 0, "消息模板编号不存在，请在“消息模板”里核对。"},
		{40035, Permanent, 0, "请求参数不正确，请联系系统管理员。"},
		{40039, Content, 0, "“阅读原文”的链接太长，请缩短到 1 KB 以内。"},
		{40066, Permanent, 0, "接口地址不正确，请联系系统管理员检查微信接口地址的设置。"},
		{40097, Permanent, 0, "请求参数不正确，请联系系统管理员。"},
		{40113, Content, 0, "图片格式不被微信接受，请换成 JPG 或 PNG 图片。"},
		{40125, Auth, 0, "AppSecret 不正确，请在“账号”里重新填写。"},
		{40137, Content, 0, "图片格式不被微信接受，请换成 JPG 或 PNG 图片。"},
		{40163, Permanent, 0, "微信给的登录凭证已经用过，请重新打开页面再试。"},
		{40164, Auth, 0, "本服务器的 IP 不在公众号的 IP 白名单里，请到公众号后台“设置与开发 → 基本配置”添加。"},
		{40226, Permanent, 0, "微信认为这个微信号有风险，暂时不能用它登录，请稍后再试或换一个微信号。"},
		{40243, Auth, 0, "AppSecret 已被冻结，请到公众号后台解冻后再试。"},

		{41001, Auth, 0, "请求没有带访问令牌，请联系系统管理员。"},
		{41002, Auth, 0, "没有填写 AppID，请在“账号”里补上。"},
		{41004, Auth, 0, "没有填写 AppSecret，请在“账号”里补上。"},
		{41005, Content, 0, "上传的文件是空的，请重新选择图片。"},
		{41030, Permanent, 0, "消息要打开的小程序页面不存在，请核对页面地址。"},
		{41006, Permanent, 0, "没有指定素材，请联系系统管理员。"},
		{42001, Auth, 0, "访问令牌已过期，请重试。"},
		{43002, Permanent, 0, "请求方式不正确，请联系系统管理员。"},
		{43101, Permanent, 0, "对方没有允许这类消息，或允许的次数已用完。"},
		{43004, Permanent, 0, "对方没有关注这个公众号，不能给他发消息。"},
		{44002, Content, 0, "提交的内容是空的，请补充后再试。"},
		{44003, Content, 0, "图文内容是空的，请补充后再试。"},
		{44004, Content, 0, "文字内容是空的，请补充后再试。"},

		{45001, Content, 0, "文件太大，请压缩后再试。"},
		{45002, Content, 0, "正文太长：须少于 2 万字符并小于 1 MB，请删减或分成两篇。"},
		{45003, Content, 0, "标题为空或太长，请控制在 32 个字以内。"},
		{45004, Content, 0, "摘要太长，请控制在 128 个字以内。"},
		{45008, Content, 0, "一条图文最多 8 篇文章，图片消息最多 20 张图片，请删减。"},
		{45009, Quota, nextDay, "今天的调用次数已用完，明天零点后恢复。"},
		{45011, Quota, m, "调用太频繁，请一分钟后再试。"},
		{45015, Permanent, 0, "对方超过 48 小时没有与公众号互动，不能给他发这类消息。"},
		{45028, Quota, nextDay, "群发次数已用完，请等到下一个可群发的日子，或改用“发布”。"},
		{45047, Quota, nextDay, "给同一个人发送的客服消息已达上限，请等对方回复后再发。"},
		{45064, Permanent, 0, "公众号没有创建菜单的权限。"},
		{45065, Permanent, 0, "这次群发 24 小时内已经提交过，不会再发一次。"},
		{45066, Transient, m, "同一次群发提交得太快，请一分钟后再试，系统不会重复发送。"},
		{45067, Permanent, 0, "群发编号太长，请联系系统管理员。"},
		{45110, Content, 0, "作者太长，请控制在 16 个字以内。"},
		{45166, Content, 0, "正文里有微信不接受的内容，请检查链接、图片和格式后再试。"},
		{46001, Permanent, 0, "素材不存在，可能已被删除，请重新上传。"},
		{46004, Permanent, 0, "接收人不存在，请核对。"},
		{47001, Permanent, 0, "请求内容的格式不被微信接受，请联系系统管理员。"},
		{47003, Content, 0, "模板消息里有一项内容不符合要求，请按提示修改。"},

		{48001, Auth, 0, "这个公众号没有此项权限（个人、未认证的账号不能自动发布），请认证后再试，或把账号改为“只存草稿，手工发布”。"},
		{48002, Permanent, 0, "对方拒收公众号的消息。"},
		{48003, Auth, 0, "公众号还没有同意群发协议，请到公众号后台手工群发一次并同意协议。"},
		{48004, Auth, 0, "公众号的这个接口已被微信封禁，请到公众号后台查看通知。"},
		{48006, Quota, nextDay, "清零调用次数的机会本月已用完。"},
		{48008, Auth, 0, "公众号没有发送这类消息的权限。"},
		{50002, Auth, 0, "公众号受到限制，可能因违规被停用了接口，请到公众号后台查看通知。"},
		{50005, Permanent, 0, "对方没有关注这个公众号。"},

		{53402, Content, 0, "封面裁剪失败，请重新裁剪封面。"},
		{53500, Auth, 0, "公众号的发布功能已被封禁，请到公众号后台查看通知。"},
		{53501, Quota, 10 * m, "发布得太频繁，请十分钟后再试。"},
		{53502, Permanent, 0, "草稿在微信里已不存在，可能已经发布或被删除。请先到公众号后台核对。"},
		{53503, Content, 0, "草稿没有通过微信的发布检查，请检查内容后再试。"},
		{53504, Content, 0, "这篇草稿只能在公众号后台发布，请到后台手工发布。"},
		{53505, Content, 0, "这篇草稿要先在公众号后台手工保存一次，才能发布。"},
		{53600, Permanent, 0, "这篇已发布的文章在微信里找不到，可能已被删除。"},

		{61010, Permanent, 0, "这位党员近两小时没有打开小程序，微信暂时不能检测内容；等他下次打开小程序，或由人工审核。"},
		{61500, Permanent, 0, "统计日期的格式不正确，请联系系统管理员。"},
		{61501, Permanent, 0, "统计日期的范围不正确：只能查一天，最晚到昨天。"},
		{61503, Transient, 30 * m, "微信的统计数据还没有准备好，请稍后再查。"},
		{87014, Content, 0, "内容含有违规信息，请修改后再试。"},
		{88000, Permanent, 0, "公众号没有留言功能的权限。"},
		{88001, Permanent, 0, "这篇文章没有开启留言。"},
		{88002, Permanent, 0, "留言不存在，可能已被删除。"},
		{89503, Auth, 0, "这个 IP 的调用需要管理员确认，请公众号管理员在手机上同意后再试。"},
		{89506, Auth, 0, "管理员在 24 小时内拒绝了这个 IP，请与公众号管理员联系。"},
		{89507, Auth, 0, "管理员在 1 小时内拒绝了这个 IP，请与公众号管理员联系。"},
	}
}

// Sentence says in Chinese what happened and what to do. It is complete, safe
// to show, and empty for nil.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		return "与微信通信时出了意外的问题，请稍后再试；如果一直这样，请联系系统管理员。"
	}
	if e.Outcome == MayBeAccepted {
		return "没有收到微信的明确答复，这次操作可能已经生效。请不要重复操作，系统会先核对结果。"
	}
	if e.Code == 40164 && e.IP != "" {
		return "本服务器的 IP（" + e.IP + "）不在公众号的 IP 白名单里，请到公众号后台“设置与开发 → 基本配置”添加。"
	}
	if row, ok := lookup(e.Code); ok && e.Code != 0 {
		return row.say
	}
	switch {
	case e.Code != 0:
		return "微信拒绝了这次操作，请把错误编号告诉系统管理员。"
	case e.Kind == Transient:
		return "暂时连不上微信服务器，请检查网络后再试。"
	case e.Kind == Content:
		return "内容不符合微信的要求，请检查标题、正文和图片后再试。"
	case e.Kind == Permanent:
		return "这次操作的参数不正确，没有发给微信，请联系系统管理员。"
	default:
		return "微信的答复无法识别，请检查微信接口地址的设置，或稍后再试。"
	}
}
