// Leads a person from the price to what it buys: wallet, channel, payment.
import { blockTime } from '../../../../browser/block-time.ts'
import { browserError } from '../../../../browser/error-codes.ts'
import {
  type AnnouncedWallet,
  type BrowserClient,
  createBrowserClient,
  discoverWallets,
  type Eip1193Provider,
  listAccounts,
  type PaidAnswer,
  type PayOptions,
  requestAccounts,
  switchChain,
} from '../../../../browser/index.ts'
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import {
  type Address,
  formatAmount,
  isUraidenError,
  parseAmount,
  type UraidenError,
} from '../../../../protocol/index.ts'
import { boughtBefore, forgetBought } from './bought.ts'
import { clearCookies } from './cookies.ts'
import type { PurchaseFacts } from './facts.ts'
import { createOtherWays } from './other-ways.ts'
import { type AppState, render } from './render.ts'
import { relays, type Situation } from './screen.ts'
import { showGoods } from './show-goods.ts'
import { type Action, createView, showError, type View } from './view.ts'

/** Milliseconds between two looks at the chain. */
const lookEvery = 3000

/** Milliseconds for wallets to announce themselves. */
const walletsWithin = 300

const noWallet = 'No Ethereum wallet was found in this browser.'

/** Where the person stands. `AppState` is what of it can be seen. */
interface App extends AppState {
  readonly view: View
  readonly facts: PurchaseFacts
  readonly offered: AnnouncedWallet[]
  /** Ends waiting for the chain or the server. */
  waiting: AbortController
  wallet: Eip1193Provider | undefined
  client: BrowserClient | undefined
  situation: Situation | undefined
  canBuyTokens: boolean
  busy: boolean
  wrongChain: boolean
  delivered: boolean
  /** There while no wallet is. */
  otherWays: HTMLElement | undefined
}

export function startApp(root: HTMLElement, facts: PurchaseFacts): void {
  const act = (action: Action) =>
    action === 'stop-waiting' ? app.waiting.abort() : void run(app, () => actions[action](app))
  const app: App = {
    view: createView(root, act),
    facts,
    offered: [],
    waiting: new AbortController(),
    wallet: undefined,
    client: undefined,
    situation: undefined,
    canBuyTokens: false,
    busy: false,
    wrongChain: false,
    delivered: false,
    otherWays: undefined,
  }
  clearCookies()
  draw(app)
  discoverWallets((found) => offer(app, found))
  void run(app, () => reconnect(app))
  setTimeout(() => {
    if (app.offered.length > 0) return
    say(app, noWallet)
    app.otherWays = createOtherWays(facts.api)
    app.view.root.append(app.otherWays)
  }, walletsWithin)
  setInterval(() => {
    if (!document.hidden) look(app).catch(() => undefined)
  }, lookEvery)
}

const confirmTransaction = 'Confirm the transaction in your wallet; then it takes a block.'

const actions: {
  readonly [Name in Exclude<Action, 'stop-waiting'>]: (app: App) => Promise<void>
} = {
  switch: async (app) => {
    const { wallet, facts } = app
    if (wallet === undefined) return
    say(app, 'Confirm the network in your wallet.')
    await switchChain(wallet, facts.chainId)
    await connect(app, wallet, await requestAccounts(wallet))
  },
  mint: async (app) => {
    say(app, 'Confirm the purchase of tokens in your wallet; then it takes a block.')
    await connected(app).buyTokens()
  },
  deposit: async (app) => {
    const { view, facts, situation } = app
    const client = connected(app)
    const amount = parseAmount(view.amount.value, client.token)
    say(
      app,
      relays(facts, situation)
        ? 'Sign twice in your wallet; the server sends the deposit, which takes a block or two.'
        : 'Confirm the deposit in your wallet; then it takes a block or two.',
    )
    if (situation?.channel?.facts === undefined) await client.openChannel(amount)
    else await client.topUp(amount)
    view.amount.value = ''
  },
  pay,
  close: async (app) => {
    const relayed = relays(app.facts, app.situation)
    say(app, relayed ? 'The server closes the channel; that takes a block.' : confirmTransaction)
    await connected(app).closeChannel()
  },
  'request-close': async (app) => {
    say(app, confirmTransaction)
    await connected(app).requestClose()
  },
  settle: async (app) => {
    say(app, confirmTransaction)
    await connected(app).settle()
  },
  forget: async (app) => connected(app).forgetChannel(),
}

async function pay(app: App): Promise<void> {
  const { facts } = app
  const client = connected(app)
  clearCookies()
  const price = formatAmount(facts.price, client.token)
  say(app, `Sign the payment of ${price} in your wallet.`)
  const answer = await client.pay(location.href, {
    ...purchaseOf(facts),
    onKey: () =>
      say(
        app,
        `Sign twice in your wallet: a key for this channel, once, and the payment of ${price}.`,
      ),
    onWaiting: () => say(app, 'Signed. The server waits until your deposit is confirmed…'),
  })
  if (answer.cost === 0n) throw notDelivered(answer.response.status)
  say(app, 'Paid.')
  await deliver(app, client, answer)
}

/** Each time the same: a request that is sent again as it was costs nothing. */
function purchaseOf({ price, idempotency }: PurchaseFacts): PayOptions {
  return { price, idempotency, accept: 'text/html;q=0.9, */*;q=0.8', ticket: isSecret() }
}

/** Nobody else on the way has a cookie. */
function isSecret(): boolean {
  return location.protocol === 'https:'
}

async function deliver(app: App, { account }: BrowserClient, answer: PaidAnswer): Promise<void> {
  const { idempotency } = app.facts
  const mayReload = boughtBefore(account)?.comesBack !== true
  const canReload = mayReload && (answer.authentic ? isSecret() : idempotency)
  await showGoods(app.view.goods, answer, { sender: account, canReload })
  app.delivered = true
}

/** After a reload: what was bought a while ago in this tab is shown again. */
async function showAgain(app: App, client: BrowserClient): Promise<void> {
  const { account } = client
  const bought = boughtBefore(account)
  if (bought === undefined || (await client.channel()) === undefined) return
  const answer = await client
    .askAgain(location.href, bought.payment, purchaseOf(app.facts))
    .catch(() => undefined)
  if (answer?.authentic !== true || !answer.response.ok) forgetBought(account)
  else await deliver(app, client, answer)
}

function connected({ client }: App): BrowserClient {
  if (client !== undefined) return client
  throw browserError({
    code: 'not_connected',
    message: 'No wallet is connected.',
  })
}

async function connect(
  app: App,
  wallet: Eip1193Provider,
  [account]: readonly Address[],
): Promise<void> {
  Object.assign(app, { wallet, client: undefined, situation: undefined, wrongChain: false })
  if (account === undefined) return
  const { receiver, contract, api, chainId, relay } = app.facts
  const { signal } = app.waiting
  const options = { wallet, account, receiver, contract, api, chainId, relay, signal }
  const client = await createBrowserClient(options)
  app.client = client
  app.canBuyTokens = await client.canBuyTokens()
  if ((await client.channel()) === undefined && !client.isOpening()) await client.findChannel()
}

/** One thing at a time; what goes wrong is said, and the situation is looked at again. */
async function run(app: App, task: () => Promise<void>): Promise<void> {
  if (app.busy) return
  app.busy = true
  showError(app.view, undefined)
  draw(app)
  try {
    await task()
    await look(app)
    if (app.client?.isOpening()) {
      say(app, 'The channel is being opened; that takes a block or two.')
      await app.client.awaitOpening()
      await look(app)
    }
    say(app, '')
  } catch (error) {
    say(app, '')
    report(app, error)
    await recover(app)
  } finally {
    app.busy = false
    draw(app)
  }
}

function report(app: App, error: unknown): void {
  app.wrongChain = isUraidenError(error, 'wrong_chain')
  if (isUraidenError(error, 'waiting_stopped')) return
  const said = isUraidenError(error)
    ? error
    : { message: 'Something went wrong in this page.', hint: String(error) }
  showError(app.view, said)
}

async function recover(app: App): Promise<void> {
  const { waiting, wallet } = app
  if (waiting.signal.aborted && wallet !== undefined) {
    app.waiting = new AbortController()
    await connect(app, wallet, await listAccounts(wallet)).catch((error) => report(app, error))
  }
  await look(app).catch(() => undefined)
}

/** A wallet that does not show old blocks leaves it unknown. */
async function timeOf({ wallet }: App, client: BrowserClient): Promise<number | undefined> {
  if (wallet === undefined) return undefined
  return blockTime(wallet, client).catch(() => undefined)
}

async function look(app: App): Promise<void> {
  const { client, canBuyTokens } = app
  if (client === undefined) return
  const [tokens, lacksEther, block, channel, blockTime] = await Promise.all([
    client.tokenBalance(),
    client.lacksEther(),
    client.contractHead(),
    client.channel(),
    app.situation?.blockTime ?? timeOf(app, client),
  ])
  // Another account or network was chosen meanwhile.
  if (client !== app.client) return
  const { challengePeriod } = client.contract
  const opening = client.isOpening()
  app.situation = {
    ...{ tokens, lacksEther, block, channel, opening, challengePeriod, blockTime, canBuyTokens },
  }
  draw(app)
}

function say({ view }: App, text: string): void {
  setText(view.status, text)
}

function draw(app: App): void {
  render(app.view, app.facts, app)
}

function offer(app: App, found: AnnouncedWallet): void {
  app.offered.push(found)
  app.otherWays?.remove()
  const { provider, name, icon } = found
  const choose = () =>
    void run(app, async () => {
      say(app, `Connect this page in ${name}.`)
      await connect(app, provider, await requestAccounts(provider))
    })
  const image = icon === '' ? [] : [h('img', { src: icon, alt: '' })]
  const attributes = { type: 'button', class: 'u-primary', onclick: choose }
  app.view.wallets.append(h('button', attributes, ...image, `Connect ${name}`))
  const changed = () => {
    if (app.wallet !== provider) return
    void run(app, async () => connect(app, provider, await listAccounts(provider)))
  }
  provider.on?.('accountsChanged', changed)
  provider.on?.('chainChanged', changed)
}

/** A wallet that knows this page already need not be asked again. */
async function reconnect(app: App): Promise<void> {
  for (const { provider } of app.offered) {
    const accounts = await listAccounts(provider).catch(() => [])
    if (accounts.length === 0) continue
    await connect(app, provider, accounts)
    if (app.client !== undefined) await showAgain(app, app.client)
    return
  }
}

function notDelivered(status: number): UraidenError {
  return browserError({
    code: 'not_delivered',
    message: `The server could not deliver it (${status}).`,
  })
}
