// What the server keeps about a person, as pairs of words; the export has it whole.
import type { OwnData, Section } from '@/api/types'
import { when } from './time'

const KIND: Record<string, string> = { full: '正式党员', probationary: '预备党员' }
const GENDER: Record<string, string> = { male: '男', female: '女' }
const STATE: Record<string, string> = { active: '在册', left: '已离开', deceased: '已去世', transferred_out: '已转出' }

/** Shows the first three and last four of a number. */
export function masked(number: string | undefined): string {
  return number && number.length > 7 ? number.slice(0, 3) + '*'.repeat(number.length - 7) + number.slice(-4) : (number ?? '')
}

export function sections(d: OwnData, posts: string[]): Section[] {
  const m = d.member
  const text = (name: string) => (typeof m[name] === 'string' ? (m[name] as string) : '')
  const rows = (list: [string, string][]) => list.filter(([, value]) => value !== '').map(([label, value]) => ({ label, value }))
  return [
    {
      title: '基本信息',
      rows: rows([
        ['姓名', text('name')],
        ['性别', GENDER[text('gender')] ?? ''],
        ['出生日期', text('birthDate')],
        ['手机号', masked(d.numbers.phone)],
        ['身份证号', masked(d.numbers.idNumber)],
      ]),
    },
    {
      title: '党籍信息',
      rows: rows([
        ['所在支部', text('orgName')],
        ['党小组', text('groupName')],
        ['类别', KIND[text('kind')] ?? ''],
        ['状态', STATE[text('state')] ?? ''],
        ['职务', posts.join('、')],
        ['入党日期', text('joinedAt')],
        ['转正日期', text('fullAt')],
        ['预备期到期', text('probationDue')],
        ['备注', text('note')],
        ['最近更新', when(text('updatedAt'))],
      ]),
    },
    ...(d.parts ?? []).map((p) => ({
      title: p.more ? `${p.title}（最近的）` : p.title,
      rows: p.items.map((x) => ({ label: `${when(x.at)} ${x.label}`, value: x.text })),
    })),
    { title: '保存多久', rows: (d.retention ?? []).map((r) => ({ label: r.source, value: r.text })) },
  ].filter((s) => s.rows.length)
}
