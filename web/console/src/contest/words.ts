import type { Contest, Question } from '@/api/contests'
import type { Label } from '@/lib/words'

export const CONTEST_STATE: Record<Contest['state'], Label> = {
  draft: { text: '草稿', tone: 'plain' },
  lobby: { text: '等候入场', tone: 'blue' },
  running: { text: '进行中', tone: 'red' },
  paused: { text: '已暂停', tone: 'amber' },
  finished: { text: '已结束', tone: 'green' },
}

export const CONTEST_MODE: Record<Contest['mode'], { text: string; hint: string }> = {
  solo: { text: '个人赛', hint: '每人单独计分排名。' },
  teams: { text: '团队赛', hint: '选手加入队伍，个人和队伍都排名。' },
  branches: { text: '支部赛', hint: '选手所在的支部就是队伍。' },
  match: { text: '对战', hint: '' },
}

export const QUESTION_KIND: Record<Question['content']['kind'], string> = {
  single: '单选',
  multiple: '多选',
  truefalse: '判断',
  fill: '填空',
  order: '排序',
  match: '连线',
  short: '简答',
}

export const LETTERS = 'ABCDEFGHIJ'
