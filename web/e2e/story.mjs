// What the editor of the story writes.
export const TITLE = '幸福社区重阳敬老：一碗长寿面，满院笑声'
export const LONG_TITLE = TITLE + '，志愿者们用一个上午走遍了三个楼院十二个单元'
export const PASSAGE = '第一党支部的十二名志愿者'
export const COMMENT = '请写明是哪个总支的第一党支部。'
export const REASON = '支部名称不完整，请补全后再送审。'
export const FIXED = '幸福社区党总支'
export const ALTS = ['志愿者在社区食堂里煮长寿面', '老人和孩子们在小院里合影']
export const CAPTION = '图：社区食堂'

/** As Word puts it on the clipboard: conditional comments, mso styles, list marks as text. */
export const WORD = `<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">
<head><meta name=Generator content="Microsoft Word 15"><style><!-- p.MsoNormal {mso-style-unhide:no; margin:0cm;} --></style></head>
<body lang=ZH-CN style='tab-interval:21.0pt'><!--StartFragment-->
<h2 style='mso-pagination:widow-orphan'><span lang=EN-US style='font-family:仿宋'>一碗面<o:p></o:p></span></h2>
<p class=MsoNormal style='text-indent:28.0pt;mso-char-indent-count:2.0'><span style='font-size:14.0pt;font-family:仿宋_GB2312;mso-hansi-font-family:Calibri'>重阳节前一天，${PASSAGE}走进三号楼院，<b style='mso-bidi-font-weight:normal'>为四十六位老人</b>煮了长寿面。</span><o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><!--[if !supportLists]--><span style='mso-list:Ignore'>1.<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;</span></span><!--[endif]-->量血压、理发<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><!--[if !supportLists]--><span style='mso-list:Ignore'>2.<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;</span></span><!--[endif]-->检修水电<o:p></o:p></p>
<table class=MsoTableGrid border=1 style='mso-yfti-tbllook:1184'><tr><td width=120 style='background:yellow'><p class=MsoNormal>项目<o:p></o:p></p></td><td><p class=MsoNormal>人数<o:p></o:p></p></td></tr>
<tr><td><p class=MsoNormal>长寿面</p></td><td><p class=MsoNormal>46</p></td></tr></table>
<script>alert(1)</script>
<p class=MsoNormal style='text-align:right'>大家约好，明年重阳再聚。<o:p></o:p></p>
<!--EndFragment--></body></html>`
