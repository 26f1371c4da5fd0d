import { createRouter, createWebHashHistory, type RouteRecordRaw, type Router } from 'vue-router'
import type { Session } from './state/session'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** Reachable without being signed in, shown without the frame. */
    open?: boolean
    /** Shown without the frame (printing). */
    bare?: boolean
    /** Navigation entry that is lit. */
    nav?: string
    /** Uses the whole height: the page scrolls its own parts. */
    full?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/sign-in', component: () => import('./pages/SignIn.vue'), meta: { open: true, title: '登录' } },
  { path: '/enter', component: () => import('./pages/Enter.vue'), meta: { open: true, title: '一次性登录' } },
  { path: '/invite', component: () => import('./pages/Invite.vue'), meta: { open: true, title: '接受邀请' } },
  { path: '/', component: () => import('./pages/Dashboard.vue'), meta: { title: '工作台', nav: 'home' } },
  { path: '/posts', component: () => import('./pages/Posts.vue'), meta: { title: '图文', nav: 'posts' } },
  { path: '/posts/:id', component: () => import('./pages/PostDetail.vue'), meta: { title: '图文详情', nav: 'posts' } },
  { path: '/posts/:id/edit', component: () => import('./pages/Editor.vue'), meta: { title: '编辑图文', nav: 'posts', full: true } },
  { path: '/posts/:id/review', component: () => import('./pages/ReviewPost.vue'), meta: { title: '审核图文', nav: 'review', full: true } },
  { path: '/posts/:id/sheet', component: () => import('./pages/ReviewSheet.vue'), meta: { title: '审核单', bare: true } },
  { path: '/review', component: () => import('./pages/Reviews.vue'), meta: { title: '审核', nav: 'review' } },
  { path: '/calendar', component: () => import('./pages/Calendar.vue'), meta: { title: '日历', nav: 'calendar' } },
  { path: '/media', component: () => import('./pages/Media.vue'), meta: { title: '素材库', nav: 'media' } },
  { path: '/accounts', component: () => import('./pages/Accounts.vue'), meta: { title: '公众号', nav: 'accounts' } },
  { path: '/people', component: () => import('./pages/People.vue'), meta: { title: '组织与人员', nav: 'people' } },
  { path: '/members', component: () => import('./pages/Members.vue'), meta: { title: '党员名册', nav: 'members' } },
  { path: '/questions', component: () => import('./pages/Questions.vue'), meta: { title: '题库', nav: 'questions' } },
  { path: '/papers', component: () => import('./pages/Papers.vue'), meta: { title: '试卷', nav: 'papers' } },
  { path: '/papers/:id', component: () => import('./pages/PaperView.vue'), meta: { title: '试卷', nav: 'papers' } },
  { path: '/papers/:id/edit', component: () => import('./pages/PaperEdit.vue'), meta: { title: '编辑试卷', nav: 'papers' } },
  { path: '/results', component: () => import('./pages/Results.vue'), meta: { title: '成绩', nav: 'results' } },
  { path: '/results/:id', component: () => import('./pages/PaperResults.vue'), meta: { title: '成绩', nav: 'results' } },
  { path: '/grading', component: () => import('./pages/Grading.vue'), meta: { title: '评分', nav: 'papers' } },
  { path: '/moderation', component: () => import('./pages/Moderation.vue'), meta: { title: '内容审核', nav: 'moderation' } },
  { path: '/campaigns', component: () => import('./pages/Campaigns.vue'), meta: { title: '通知', nav: 'campaigns' } },
  { path: '/campaigns/new', component: () => import('./pages/CampaignEdit.vue'), meta: { title: '新建通知', nav: 'campaigns' } },
  { path: '/campaigns/:id', component: () => import('./pages/CampaignDetail.vue'), meta: { title: '通知详情', nav: 'campaigns' } },
  { path: '/campaigns/:id/edit', component: () => import('./pages/CampaignEdit.vue'), meta: { title: '编辑通知', nav: 'campaigns' } },
  { path: '/contests', component: () => import('./pages/Contests.vue'), meta: { title: '竞赛', nav: 'contests' } },
  { path: '/contests/new', component: () => import('./pages/ContestEdit.vue'), meta: { title: '新建竞赛', nav: 'contests' } },
  { path: '/contests/:id', component: () => import('./pages/ContestHost.vue'), meta: { title: '主持竞赛', nav: 'contests' } },
  { path: '/contests/:id/edit', component: () => import('./pages/ContestEdit.vue'), meta: { title: '编辑竞赛', nav: 'contests' } },
  { path: '/contests/:id/screen', component: () => import('./pages/ContestScreen.vue'), meta: { title: '竞赛大屏', bare: true } },
  { path: '/lectures', component: () => import('./pages/Lectures.vue'), meta: { title: '直播讲座', nav: 'lectures' } },
  { path: '/lectures/new', component: () => import('./pages/LectureEdit.vue'), meta: { title: '计划讲座', nav: 'lectures' } },
  { path: '/lectures/:id', component: () => import('./pages/LectureView.vue'), meta: { title: '直播讲座', nav: 'lectures' } },
  { path: '/lectures/:id/edit', component: () => import('./pages/LectureEdit.vue'), meta: { title: '修改讲座', nav: 'lectures' } },
  { path: '/audit', component: () => import('./pages/Audit.vue'), meta: { title: '审计', nav: 'audit' } },
  { path: '/words', component: () => import('./pages/Words.vue'), meta: { title: '词库', nav: 'words' } },
  { path: '/me', component: () => import('./pages/MyAccount.vue'), meta: { title: '我的账号' } },
  { path: '/:rest(.*)*', component: () => import('./pages/Missing.vue'), meta: { title: '没有这个页面' } },
]

export function makeRouter(session: Session): Router {
  const router = createRouter({ history: createWebHashHistory('/console/'), routes, scrollBehavior: () => ({ top: 0 }) })
  router.beforeEach(async (to) => {
    if (to.meta.open) return true
    const me = await session.ensure()
    if (!me) return { path: '/sign-in', query: to.fullPath === '/' ? {} : { back: to.fullPath } }
    if ((me.mustEnrol || me.passwordDue) && to.path !== '/me') return '/me'
    // An auditor reads the audit and does nothing else.
    if (to.path === '/' && !session.can('post.read') && session.can('audit.read')) return '/audit'
    return true
  })
  router.afterEach((to) => {
    document.title = to.meta.title ? `${to.meta.title} · 同心` : '同心'
  })
  return router
}
