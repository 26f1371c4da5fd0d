"use strict";

const $ = (id) => document.getElementById(id);
const PANES = ["calls", "faults", "ledger", "subs"];
const state = { appid: "", open: null, seq: 0, calls: [], faults: null, accounts: [], seen: {} };

const PATHS = {
  "*": "所有接口",
  "/cgi-bin/stable_token": "获取令牌（稳定版）",
  "/cgi-bin/token": "获取令牌",
  "/cgi-bin/media/uploadimg": "上传正文图片",
  "/cgi-bin/material/add_material": "上传永久素材",
  "/cgi-bin/material/del_material": "删除永久素材",
  "/cgi-bin/draft/add": "新建草稿",
  "/cgi-bin/draft/get": "读取草稿",
  "/cgi-bin/draft/update": "修改草稿",
  "/cgi-bin/draft/delete": "删除草稿",
  "/cgi-bin/draft/count": "草稿总数",
  "/cgi-bin/draft/batchget": "草稿列表",
  "/cgi-bin/freepublish/submit": "提交发布",
  "/cgi-bin/freepublish/get": "查询发布状态",
  "/cgi-bin/freepublish/batchget": "已发布列表",
  "/cgi-bin/freepublish/getarticle": "读取已发布文章",
  "/cgi-bin/freepublish/delete": "删除已发布文章",
  "/cgi-bin/message/mass/sendall": "群发",
  "/cgi-bin/message/mass/send": "按名单群发",
  "/cgi-bin/message/mass/preview": "群发预览",
  "/cgi-bin/message/mass/get": "查询群发状态",
  "/cgi-bin/message/mass/delete": "删除群发",
  "/cgi-bin/openapi/quota/get": "查询调用次数",
  "/cgi-bin/getcallbackip": "回调 IP",
  "/cgi-bin/message/subscribe/send": "发送订阅消息（小程序）",
  "/cgi-bin/message/subscribe/bizsend": "发送订阅通知（公众号）",
  "/cgi-bin/message/template/send": "发送模板消息",
  "/wxa/msg_sec_check": "检测文字",
  "/wxa/media_check_async": "检测图片",
  "/sns/jscode2session": "小程序登录",
  "/wxa/business/getuserphonenumber": "读取手机号",
  "/sns/oauth2/access_token": "网页授权换取身份",
  "/connect/oauth2/authorize": "网页授权",
  "/datacube/getarticlesummary": "图文每日数据",
  "/datacube/getarticletotal": "图文总数据",
};
const EVENTS = { subscribe_msg_popup_event: "推送：订阅选择", subscribe_msg_sent_event: "推送：订阅消息送达", wxa_media_check: "推送：图片检测结果", PUBLISHJOBFINISH: "推送：发布结果", MASSSENDJOBFINISH: "推送：群发结果", text: "推送：关注者的消息", subscribe: "推送：关注", unsubscribe: "推送：取消关注" };
const KINDS = {
  busy_before: "系统繁忙（-1），没有生效",
  busy_after: "系统繁忙（-1），其实已生效",
  close_before: "断开连接，没有生效",
  close_after: "断开连接，其实已生效",
  hang_before: "一直不回答，没有生效",
  hang_after: "一直不回答，其实已生效",
  gateway_before: "网关 502，没有生效",
  gateway_after: "网关 502，其实已生效",
  garbage_after: "回答是乱码，其实已生效",
  errcode: "返回指定的错误码",
};
const FAULTS = { ...KINDS, lose_events: "事件丢失", "no answer": "对方没有回答" };

// el makes an element; text goes in as text, never as markup.
function el(tag, cls, ...kids) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  for (const k of kids) if (k !== null && k !== undefined && k !== false) e.append(k);
  return e;
}

async function ask(path, body) {
  const init = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const r = await fetch("api/" + path, init);
  const data = await r.json();
  if (!r.ok) throw new Error(data.error || "HTTP " + r.status);
  return data;
}

const two = (n) => String(n).padStart(2, "0");
// China has one time zone; the phone shows it wherever the browser is.
const china = (t) => new Date(new Date(t).getTime() + 8 * 3600e3);
const hm = (t) => { const d = china(t); return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()); };
const hms = (t) => hm(t) + ":" + two(china(t).getUTCSeconds());
const day = (t) => { const d = china(t); return (d.getUTCMonth() + 1) + "月" + d.getUTCDate() + "日"; };

function face(account, small) {
  let n = 0;
  for (const c of account.appid) n = (n * 31 + c.charCodeAt(0)) % 65521;
  return el("span", "face c" + (n % 6) + (small ? " small" : ""), [...account.name][0] || "号");
}

// changed runs draw only when the data differ from the last time.
function changed(key, data, draw) {
  const text = JSON.stringify(data);
  if (state.seen[key] === text) return;
  state.seen[key] = text;
  draw();
}

function picture(card) {
  if (!card.cover) return el("span", "blank");
  const img = el("img");
  img.src = card.cover;
  img.alt = "";
  img.loading = "lazy";
  return img;
}

function opener(card, cls, ...kids) {
  const b = el("button", cls, ...kids);
  b.type = "button";
  b.disabled = !card.url;
  b.addEventListener("click", () => read(card));
  return b;
}

const titled = (tag, card) => el(tag, card.deleted ? "gone" : "", card.title);

function drawAccounts(list) {
  $("accounts").replaceChildren(...list.map((a) => {
    const kind = { service: "服务号", mini: "小程序" }[a.kind] || "订阅号";
    const b = el("button", "account", face(a), el("b", "", a.name), el("small", "", a.last || (a.kind === "mini" ? kind : kind + " · " + a.followers + " 人关注")));
    b.type = "button";
    b.setAttribute("aria-pressed", String(a.appid === state.appid));
    b.addEventListener("click", () => choose(a.appid));
    return el("li", "", b);
  }));
  if (list.length === 0) $("accounts").append(el("li", "hint", "还没有公众号。启动沙箱时给它配置账号，或用控制接口添加。"));
}

// drawUsers lists the people; the link makes this browser their phone and opens
// the members' pages through the authorisation of the official account.
function drawUsers(list) {
  $("users").replaceChildren(...list.map((u) => {
    const a = el("a", "user", el("b", "", u.nickname), el("small", "", (u.phone || "没有绑定手机号") + " · 以此身份打开"));
    a.href = "open/" + encodeURIComponent(u.id);
    a.target = "_blank";
    a.rel = "noopener";
    return el("li", "", a);
  }));
  if (list.length === 0) $("users").append(el("li", "hint", "还没有微信用户，可以用控制接口添加。"));
}

function empty(title, text) { return el("div", "empty", el("b", "", title), text); }

function drawStream(account, notes) {
  const box = $("stream");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  const kids = [];
  let last = 0;
  for (const n of notes) {
    const t = new Date(n.at).getTime();
    if (t - last > 5 * 60e3) kids.push(el("time", "when", day(n.at) + " " + hm(n.at)));
    last = t;
    kids.push(n.cards && n.cards.length ? cards(n) : bubble(account, n));
  }
  if (kids.length === 0) kids.push(empty("还没有收到消息", "群发的图文会出现在这里；只“发布”的文章不通知关注者，请看“文章”。"));
  box.replaceChildren(...kids);
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function bubble(account, n) {
  const who = n.kind === "out" ? el("span", "face small me", "我") : face(account, true);
  return el("div", "msg " + n.kind, who, el("div", "bubble", n.text));
}

function cards(n) {
  const [first, ...rest] = n.cards;
  const box = el("div", "cards" + (rest.length ? "" : " single"), n.kind === "preview" && el("span", "tag", "预览，只有您能看到"));
  box.append(opener(first, "lead", picture(first), titled("b", first), !rest.length && el("p", "", first.digest)));
  for (const c of rest) box.append(opener(c, "row", titled("span", c), picture(c)));
  return box;
}

const STATES = { 5: "已在后台删除", 6: "已被平台封禁" };

function drawList(messages) {
  const kids = [];
  let last = "";
  for (const m of messages) {
    const d = day(m.at);
    if (d !== last) kids.push(el("p", "day", d));
    last = d;
    for (const c of m.cards) {
      const meta = [m.kind === "mass" ? "群发" : "发布", hm(m.at), c.author, STATES[m.state] || (c.deleted && "已删除")].filter(Boolean).join(" · ");
      kids.push(opener({ ...c, message: m }, "row", el("span", "", titled("b", c), el("small", "", meta)), picture(c)));
    }
  }
  if (kids.length === 0) kids.push(empty("还没有文章", "发布或群发成功后，文章会出现在这里。"));
  $("list").replaceChildren(...kids);
}

function read(card) {
  state.open = card;
  $("reader-name").textContent = $("name").textContent;
  $("frame").src = card.url;
  $("more").hidden = !(card.message && card.message.kind === "publish" && !card.deleted);
  $("menu").hidden = true;
  $("home").hidden = true;
  $("reader").hidden = false;
  $("back").focus();
}

function closeReader() {
  state.open = null;
  $("reader").hidden = true;
  $("home").hidden = false;
  $("frame").src = "about:blank";
}

function badge(text, cls) { return el("span", "badge " + (cls || ""), text); }

function callRow(c) {
  const out = c.dir === "out";
  const name = out ? EVENTS[c.path] || c.path : PATHS[c.path] || c.path;
  const badges = el("span", "badges");
  if (c.fault) badges.append(badge(FAULTS[c.fault] || c.fault, "warn"));
  if (out) badges.append(badge(c.status ? "HTTP " + c.status : "未送达", c.status === 200 ? "" : "bad"));
  else if (c.status === 0) badges.append(badge("没有回答", "bad"));
  else badges.append(badge(c.code === 0 ? "成功" : String(c.code), c.code === 0 ? "" : "bad"));
  const dir = el("span", "dir" + (out ? " out" : ""), out ? "↗" : "↙");
  dir.title = out ? "沙箱推送给系统" : "系统调用沙箱";
  const info = el("dl", "more-info");
  for (const [k, v] of [["地址", c.method + " " + c.path], ["公众号", c.appid], ["说明", c.note], ["rid", c.rid], ["请求", c.request]]) {
    if (v) info.append(el("dt", "", k), el("dd", "", v));
  }
  const row = el("details", "", el("summary", "", el("time", "", hms(c.at)), dir,
    el("span", "what", name, c.note ? el("small", "", c.note) : null), badges, el("span", "ms", c.ms + " 毫秒")), info);
  row.dataset.seq = c.seq;
  return row;
}

function failed(c) { return c.code !== 0 || Boolean(c.fault) || (c.status !== 200); }

function drawCalls(fresh) {
  const box = $("rows");
  const keep = (c) => !$("only-bad").checked || failed(c);
  if (fresh) box.prepend(...fresh.filter(keep).map((c) => el("li", "", callRow(c))));
  else box.replaceChildren(...state.calls.filter(keep).map((c) => el("li", "", callRow(c))));
  while (box.children.length > 300) box.lastElementChild.remove();
  if (!state.calls.length) box.replaceChildren(el("li", "empty", el("b", "", "还没有调用"), "系统每次调用接口、沙箱每次推送事件，都会记在这里。"));
  else box.querySelector(".empty")?.remove();
  $("calls-count").textContent = "共 " + state.seq + " 次";
}

function drawLedger(data) {
  const v = $("verdict");
  const again = data.repeated.length;
  v.className = "verdict" + (again ? " bad" : "");
  v.replaceChildren("已接受 " + data.total + " 次提交，" + data.contents + " 份不同的内容。", el("b", "", again ? "有内容被重复提交！" : "没有重复。"));
  const repeated = new Set(data.repeated.map((r) => r.id));
  const rows = data.accepted.slice(-300).reverse().map((r) => {
    const badges = el("span", "badges");
    if (repeated.has(r.id)) badges.append(badge("重复", "bad"));
    if (!r.answered) badges.append(badge("没有给出答复", "warn"));
    badges.append(badge(r.kind === "mass" ? "群发" : "发布"));
    const info = el("dl", "more-info");
    for (const [k, x] of [["编号", r.id], ["草稿", r.media_id], ["内容指纹", r.hash], ["clientmsgid", r.clientmsgid], ["公众号", r.appid]]) {
      if (x) info.append(el("dt", "", k), el("dd", "", x));
    }
    return el("li", "", el("details", "", el("summary", "", el("time", "", hms(r.at)), el("span", "what", r.title, r.articles > 1 ? el("small", "", "等 " + r.articles + " 篇") : null), badges), info));
  });
  $("accepted").replaceChildren(...rows);
  if (!rows.length) $("accepted").append(el("li", "empty", el("b", "", "还没有提交"), "每一次被接受的发布和群发都记在这里，用来证明没有重复。"));
}

// drawSubs shows, for each person and template, how many messages are still
// allowed, and lets the person answer the dialog as on the phone.
function drawSubs(data) {
  const account = state.accounts.find((a) => a.appid === state.appid);
  const open = data.templates.filter((t) => t.use !== "template");
  $("subs-hint").textContent = open.length
    ? "“允许一次”相当于在手机上点了订阅弹窗的“允许”：每点一次可以收一条。"
    : (account ? account.name : "这个账号") + "没有可以订阅的模板，请在左侧选择小程序。";
  $("grants").replaceChildren(...open.map((t) => {
    const rows = data.people.map((p) => {
      const say = (answer, text) => {
        const b = el("button", "", text);
        b.type = "button";
        b.addEventListener("click", async () => {
          await act(() => ask("subscribe", { appid: state.appid, openid: p.openid, template_id: t.id, answer }), answer === "accept" ? "已允许一次" : "已拒绝");
          poll();
        });
        return b;
      };
      const left = data.grants[p.openid + " " + t.id] || 0;
      return el("li", "grant", el("span", "", el("b", "", p.nickname), el("small", "", left ? "还可以收 " + left + " 条" : "没有允许")), say("accept", "允许一次"), say("reject", "拒绝"));
    });
    return el("section", "", el("h3", "", t.title), el("ul", "grants", ...rows));
  }));
  const names = Object.fromEntries(data.people.map((p) => [p.openid, p.nickname]));
  const list = data.messages.slice(-100).reverse().map((m) => {
    const info = el("dl", "more-info");
    for (const [k, v] of [...Object.entries(m.data), ["页面", m.page], ["msgid", m.msgid]]) if (v) info.append(el("dt", "", k), el("dd", "", v));
    return el("li", "", el("details", "", el("summary", "", el("time", "", hms(m.at)), el("span", "what", m.title, el("small", "", "发给 " + (names[m.openid] || m.openid)))), info));
  });
  $("received").replaceChildren(...list);
  if (!list.length) $("received").append(el("li", "empty", el("b", "", "还没有消息"), "系统发出的订阅消息和模板消息会出现在这里。"));
}

// Switches.

function option(value, text) { const o = el("option", "", text); o.value = value; return o; }

function setUpSwitches() {
  const paths = Object.entries(PATHS);
  $("rule-path").append(...paths.map(([p, n]) => option(p, n)));
  $("rule-path").value = "/cgi-bin/freepublish/submit";
  $("rule-kind").append(...Object.entries(KINDS).map(([k, n]) => option(k, n)));
  $("rule-kind").value = "close_after";
  $("exhaust").append(option("", "选择接口…"), ...paths.slice(1).map(([p, n]) => option(p, n)));
  $("rule-kind").addEventListener("change", () => { $("rule-code-label").hidden = $("rule-kind").value !== "errcode"; });
  $("rule-how").addEventListener("change", () => {
    const chance = $("rule-how").value === "p";
    $("rule-amount-label").textContent = chance ? "概率 %" : "次数";
    $("rule-amount").value = chance ? 10 : 1;
  });
  $("rule-add").addEventListener("click", () => {
    const n = Number($("rule-amount").value);
    const rule = { path: $("rule-path").value, kind: $("rule-kind").value };
    if (rule.kind === "errcode") rule.code = Number($("rule-code").value);
    if ($("rule-how").value === "p") rule.probability = n / 100; else rule.next = n;
    change((f) => f.rules.push(rule));
  });
  $("exhaust").addEventListener("change", () => {
    const p = $("exhaust").value;
    $("exhaust").value = "";
    if (p) change((f) => { if (!f.exhausted.includes(p)) f.exhausted.push(p); });
  });
  $("switches").addEventListener("submit", (e) => e.preventDefault());
  for (const input of $("switches").querySelectorAll("[name]")) {
    input.addEventListener("change", () => change((f) => {
      if (input.type === "checkbox") f[input.name] = input.checked;
      else if ("percent" in input.dataset) f[input.name] = Number(input.value) / 100;
      else if (input.type === "number" || "number" in input.dataset) f[input.name] = Number(input.value);
      else f[input.name] = input.value;
    }));
  }
  $("heal").addEventListener("click", async () => { await act(() => ask("faults", {}), "已全部恢复正常"); await loadFaults(); });
  $("invalidate").addEventListener("click", () => act(() => ask("tokens/invalidate", { appid: state.appid }), "令牌已作废，下一次调用会被拒绝"));
  $("verify").addEventListener("click", () => act(() => ask("callback/verify", { appid: state.appid }), "回调地址验证通过"));
  for (const right of ["publish", "mass"]) {
    $("deny-" + right).addEventListener("change", () => act(() => {
      const deny = ["publish", "mass"].filter((r) => $("deny-" + r).checked);
      return ask("accounts", { appid: state.appid, deny });
    }, "已生效"));
  }
}

async function act(f, done) {
  try {
    await f();
    $("saved").textContent = done;
  } catch (e) {
    $("saved").textContent = "没有成功：" + e.message.replace("sandbox: ", "");
  }
}

// change starts from what the server has, since "next" counts run down there.
async function change(edit) {
  await act(async () => {
    const f = await ask("faults");
    edit(f);
    state.faults = await ask("faults", f);
  }, "已生效");
  drawFaults(true);
}

async function loadFaults() {
  state.faults = await ask("faults");
  drawFaults(true);
}

function chips(box, items, text, remove) {
  box.replaceChildren(...items.map((item) => {
    const b = el("button", "", "×");
    b.type = "button";
    b.setAttribute("aria-label", "移除：" + text(item));
    b.addEventListener("click", () => remove(item));
    return el("li", "", text(item), b);
  }));
}

function ruleText(r) {
  const how = r.next ? "接下来 " + r.next + " 次" : Math.round(r.probability * 100) + "%";
  return (PATHS[r.path] || r.path) + "：" + KINDS[r.kind] + (r.code ? " " + r.code : "") + "（" + how + "）";
}

function drawFaults(inputs) {
  const f = state.faults;
  if (!f) return;
  if (inputs) {
    for (const input of $("switches").querySelectorAll("[name]")) {
      if (input === document.activeElement) continue;
      const v = f[input.name];
      if (input.type === "checkbox") input.checked = Boolean(v);
      else input.value = "percent" in input.dataset ? Math.round(v * 100) : v;
    }
  }
  changed("rules", f.rules, () => chips($("rules"), f.rules, ruleText, (rule) => change((now) => {
    const i = now.rules.findIndex((r) => r.path === rule.path && r.kind === rule.kind);
    if (i >= 0) now.rules.splice(i, 1);
  })));
  changed("exhausted", f.exhausted, () => chips($("exhausted"), f.exhausted, (p) => PATHS[p] || p, (p) => change((now) => {
    now.exhausted = now.exhausted.filter((x) => x !== p);
  })));
}

function drawAccountSwitches(a) {
  $("deny-publish").checked = a.deny.includes("publish");
  $("deny-mass").checked = a.deny.includes("mass");
  $("callback").textContent = a.callback_url ? "回调地址：" + a.callback_url + "（" + { plain: "明文", compat: "兼容", aes: "安全" }[a.mode] + "模式）" : "没有配置回调地址，事件不会推送。";
  $("verify").disabled = !a.callback_url;
}

// Views and polling.

function choose(appid) {
  if (state.appid !== appid) {
    state.appid = appid;
    state.seen = {};
    $("stream").replaceChildren();
    closeReader();
    history.replaceState(null, "", "#" + appid);
  }
  poll();
}

function go(view) {
  document.body.dataset.view = view;
  for (const b of document.querySelectorAll(".views button")) b.toggleAttribute("aria-current", false);
  document.querySelector('.views [data-goto="' + view + '"]').setAttribute("aria-current", "true");
  if (view === "phone") return;
  for (const name of PANES) {
    $(name).hidden = name !== view;
    $("p-" + name).setAttribute("aria-selected", String(name === view));
  }
  poll();
}

function show(tab) {
  for (const name of ["stream", "list"]) {
    $(name).hidden = name !== tab;
    $("tab-" + name).setAttribute("aria-selected", String(name === tab));
  }
  $("write").hidden = tab !== "stream";
}

let polling = false;
let again = false;

// poll runs one look at a time: two at once would log a call twice.
async function poll() {
  again = true;
  if (polling) return;
  polling = true;
  while (again) {
    again = false;
    await look();
  }
  polling = false;
}

async function look() {
  try {
    const data = await ask("overview?appid=" + encodeURIComponent(state.appid));
    state.accounts = data.accounts;
    if (!data.accounts.some((a) => a.appid === state.appid)) {
      const wanted = location.hash.slice(1);
      state.appid = (data.accounts.find((a) => a.appid === wanted) || data.accounts[0] || { appid: "" }).appid;
      if (state.appid) return look();
    }
    changed("users", data.users, () => drawUsers(data.users));
    changed("accounts", [data.accounts, state.appid], () => drawAccounts(data.accounts));
    const account = data.accounts.find((a) => a.appid === state.appid);
    $("clock").textContent = hm(data.now);
    if (account) {
      $("name").textContent = account.name;
      changed("stream", data.stream, () => drawStream(account, data.stream));
      changed("list", data.published, () => drawList(data.published));
      changed("account", [account.deny, account.callback_url, account.mode], () => drawAccountSwitches(account));
    }
    if (!$("hold").checked && data.seq !== state.seq) {
      if (data.seq < state.seq) { state.seq = 0; state.calls = []; drawCalls(); }
      const log = await ask("calls?limit=300&since=" + state.seq);
      const fresh = log.calls.filter((c) => c.seq > state.seq);
      state.seq = log.seq;
      state.calls = fresh.concat(state.calls).slice(0, 300);
      drawCalls(fresh);
    } else if (!state.calls.length) drawCalls();
    if (!$("ledger").hidden) {
      const ledger = await ask("ledger");
      changed("ledger", ledger, () => drawLedger(ledger));
    }
    if (!$("subs").hidden && state.appid) {
      const subs = await ask("messages?appid=" + encodeURIComponent(state.appid));
      changed("subs", [state.appid, subs], () => drawSubs(subs));
    }
    if (!$("faults").hidden) {
      state.faults = await ask("faults");
      drawFaults(false);
    }
    const n = data.running || 0;
    $("live").textContent = n ? "正在发布 " + n + " 条" : "已连接";
    $("live").className = "live on";
  } catch (e) {
    $("live").textContent = "连接中断，正在重试";
    $("live").className = "live off";
  }
}

async function loop() {
  if (!document.hidden) await poll();
  setTimeout(loop, 1000);
}

function arrows(list) {
  list.addEventListener("keydown", (e) => {
    if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
    const tabs = [...list.querySelectorAll('[role="tab"]')];
    const i = (tabs.indexOf(document.activeElement) + (e.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length;
    tabs[i].focus();
    tabs[i].click();
  });
}

for (const b of document.querySelectorAll("[data-goto]")) b.addEventListener("click", () => go(b.dataset.goto));
for (const l of document.querySelectorAll('[role="tablist"]')) arrows(l);
for (const t of ["stream", "list"]) $("tab-" + t).addEventListener("click", () => show(t));
$("only-bad").addEventListener("change", () => drawCalls());
$("back").addEventListener("click", closeReader);
$("more").addEventListener("click", () => {
  $("menu").hidden = !$("menu").hidden;
  $("more").setAttribute("aria-expanded", String(!$("menu").hidden));
});
for (const b of $("menu").querySelectorAll("button")) {
  b.addEventListener("click", async () => {
    const { message } = state.open;
    await act(() => ask("articles/status", { appid: state.appid, article_id: message.article_id, state: Number(b.dataset.state) }), "已生效");
    closeReader();
    poll();
  });
}
document.addEventListener("keydown", (e) => { if (e.key === "Escape" && state.open) closeReader(); });
$("write").addEventListener("submit", async (e) => {
  e.preventDefault();
  const text = $("say").value.trim();
  if (!text || !state.appid) return;
  await act(() => ask("follower", { appid: state.appid, type: "text", text }), "已发送");
  $("say").value = "";
  poll();
});
setUpSwitches();
loadFaults().catch(() => {});
const start = new URLSearchParams(location.search);
if (start.get("tab") === "list") show("list");
if (PANES.includes(start.get("view"))) go(start.get("view"));
loop();
