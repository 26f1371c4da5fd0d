package render

import (
	"testing"
)

const hashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func TestClean(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"word paragraph": {
			`<p class=MsoNormal style='text-indent:21.0pt;mso-char-indent-count:2.0;line-height:28.0pt'><span lang=EN-US style='font-size:16.0pt;font-family:仿宋'>` +
				"为贯彻落实\n会议精神<o:p></o:p></span></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>",
			`<p style="text-indent:2em">为贯彻落实会议精神</p>`,
		},
		"word list": {
			`<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span style='mso-list:Ignore'>1.<span>&nbsp;&nbsp; </span></span><![endif]>先学</p>` +
				`<p class=MsoListParagraph style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>·<span>&nbsp; </span></span>章程</p>` +
				`<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>2.</span>再访</p>`,
			`<ol><li>先学<ul><li>章程</li></ul></li><li>再访</li></ol>`,
		},
		"word chinese numbers stay text": {
			`<p style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>一、</span>总体要求</p>`, `<p>一、总体要求</p>`,
		},
		"word comments":         {`<!--[if gte mso 9]><xml><w:x/></xml><![endif]--><style>p{}</style><p>a</p>`, `<p>a</p>`},
		"word local picture":    {`<p>a<img src="file:///C:/x/clip_image001.png">b</p>`, `<p>ab</p>`},
		"font and nested spans": {`<p><font color="#c00000"><span><span style="font-weight:700">重点</span></span></font></p>`, `<p><strong><span style="color:#c00000">重点</span></strong></p>`},
		"black is no colour":    {`<p><span style="color:rgb(51,51,51);background:#fff">字</span></p>`, `<p>字</p>`},
		"colour back to black":  {`<p style="color:red">a<span style="color:#000">b</span></p>`, `<p><span style="color:#ff0000">a</span>b</p>`},
		"misnested":             {`<b>a<i>b</b>c</i>`, `<p><strong>a</strong><strong><em>b</em></strong><em>c</em></p>`},
		"google docs wrapper":   {`<b style="font-weight:normal"><p>正文</p></b>`, `<p>正文</p>`},
		"divs":                  {`<div>一</div><div>二<br><br>三</div>`, `<p>一</p><p>二</p><p>三</p>`},
		"empty paragraphs":      {`<p><br></p><p>a</p><p><br></p><p><br></p><p>b</p><p>&nbsp;</p>`, `<p>a</p><p><br></p><p>b</p>`},
		"typed indentation":     {`<p>　　正文</p>`, `<p style="text-indent:2em">正文</p>`},
		"merged cells":          {`<table><tr><th colspan=2>头</th></tr><tr><td rowspan="2" align="center">a</td><td bgcolor=yellow>b</td></tr></table>`, `<table><tbody><tr><th colspan="2">头</th></tr><tr><td rowspan="2" style="text-align:center">a</td><td style="background-color:#ffff00">b</td></tr></tbody></table>`},
		"table in table":        {`<table><tr><td>a<table><tr><td>b</td><td>c</td></tr></table></td></tr></table>`, `<table><tbody><tr><td><p>a</p><p>b</p><p>c</p></td></tr></tbody></table>`},
		"picture alone":         {`<p>前<img src="asset:` + hashA + `" alt="图 一" onerror=x>后</p>`, `<p>前</p><p><img src="asset:` + hashA + `" alt="图 一"></p><p>后</p>`},
		"wechat lazy picture":   {`<img data-src="https://mmbiz.qpic.cn/a/640?wx_fmt=png" src="">`, `<p><img src="https://mmbiz.qpic.cn/a/640?wx_fmt=png" alt=""></p>`},
		"heading drops bold":    {`<h2><b>一、</b>标题</h2>`, `<h2>一、标题</h2>`},
		"heading in a cell":     {`<table><tr><td><h3>x</h3></td></tr></table>`, `<table><tbody><tr><td><strong>x</strong></td></tr></tbody></table>`},
		"code from a page":      {`<pre><code class="hljs language-go"><span>a :=</span> <b>1</b><br>b</code></pre>`, `<pre data-lang="go"><code>a := 1` + "\nb</code></pre>"},
		"bad links":             {`<a href="javascript:alert(1)">a</a><a href="#x">b</a><a href="/p">c</a>`, `<p>abc</p>`},
		"link look":             {`<a href="https://e.cn/?a=1&b=2" style="color:blue"><u>x</u></a>`, `<p><a href="https://e.cn/?a=1&amp;b=2">x</a></p>`},
		"hidden text":           {`<p>a<span style="display:none">b</span><span style="mso-hide:all">c</span></p>`, `<p>a</p>`},
		"task list":             {`<ul><li data-checked="true">a</li><li><input type="checkbox">b</li></ul>`, `<ul><li data-checked="true">a</li><li data-checked="false">b</li></ul>`},
		"script":                {`a<script>alert(1)</script>b<iframe src=x></iframe>`, `<p>ab</p>`},
		"bidi override":         {"<p>a\u202eb\u200bc</p>", `<p>abc</p>`},
	} {
		got := Clean(c.in)
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
		if again := Clean(got); again != got {
			t.Errorf("%s: again: %s", name, again)
		}
	}
}

func TestWhatWasTakenAwayIsSaid(t *testing.T) {
	_, dropped := CleanReport(`<script>x</script><script>y</script><video></video><img src="data:image/png;base64,AAAA"><img src="file:///x">`)
	if len(dropped) != 4 {
		t.Errorf("%q", dropped)
	}
	if _, dropped := CleanReport("<style>p{}</style><p>a</p>"); len(dropped) != 0 {
		t.Errorf("%q", dropped)
	}
}

func TestPlainText(t *testing.T) {
	got := PlainText(`<h1>题</h1><p>一<b>二</b><br>三</p><ul><li>甲</li><li>乙</li></ul><table><tr><td>a</td><td>b</td></tr></table>`)
	if want := "题\n一二\n三\n甲\n乙\na\tb"; got != want {
		t.Errorf("%q", got)
	}
}
