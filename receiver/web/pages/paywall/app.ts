// Leads a person from the price to what it buys: wallet, channel, payment.
import {
  type AnnouncedWallet,
  type BrowserClient,
  createBrowserClient,
  discoverWallets,
  type Eip1193Provider,
  listAccounts,
  requestAccounts,
  switchChain,
} from '../../../../browser/index.ts'
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import {
  type Address,
  formatAmount,
  isUraidenError,
  parseAmount,
  UraidenError,
} from '../../../../protocol/index.ts'
import { clearCookies } from './cookies.ts'
import type { PurchaseFacts } from './facts.ts'
import { render } from './render.ts'
import { relays, type Situation } from './screen.ts'
import { showGoods } from './show-goods.ts'
import { type Action, createView, showError } from './view.ts'

/** Milliseconds between two looks at the chain. */
const lookEvery = 3000

/** Milliseconds for wallets to announce themselves. */
const walletsWithin = 300

const noWallet =
  'No wallet was found in this browser. Install one for Ethereum, or pay with a µRaiden agent.'

export function startApp(root: HTMLElement, facts: PurchaseFacts): void {
  const view = createView(root, (action) =>
    action === 'stop-waiting' ? waiting.abort() : void run(actions[action]),
  )
  const offered: AnnouncedWallet[] = []
  let waiting = new AbortController()
  let wallet: Eip1193Provider | undefined
  let client: BrowserClient | undefined
  let situation: Situation | undefined
  let canBuyTokens = false
  let busy = false
  let wrongChain = false
  let delivered = false

  const actions: { readonly [Name in Exclude<Action, 'stop-waiting'>]: () => Promise<void> } = {
    switch: async () => {
      if (wallet === undefined) return
      say('Confirm the network in your wallet.')
      await switchChain(wallet, facts.chainId)
      await connect(wallet, await requestAccounts(wallet))
    },
    mint: async () => {
      say('Confirm the purchase of tokens in your wallet; then it takes a block.')
      await connected().buyTokens()
    },
    deposit: async () => {
      const amount = parseAmount(view.amount.value, connected().token)
      say(
        relays(facts, situation)
          ? 'Sign twice in your wallet; the server sends the deposit, which takes a block or two.'
          : 'Confirm the deposit in your wallet; then it takes a block or two.',
      )
      if (situation?.channel?.facts === undefined) await connected().openChannel(amount)
      else await connected().topUp(amount)
      view.amount.value = ''
    },
    pay: async () => {
      const { account, token } = connected()
      clearCookies()
      say(`Sign the payment of ${formatAmount(facts.price, token)} in your wallet.`)
      const answer = await connected().pay(location.href, {
        price: facts.price,
        idempotency: facts.idempotency,
        accept: 'text/html;q=0.9, */*;q=0.8',
        onWaiting: () => say('Signed. The server waits until your deposit is confirmed…'),
      })
      if (answer.cost === 0n) throw notDelivered(answer.response.status)
      say('Paid.')
      await showGoods(view.goods, answer, account, facts.idempotency)
      delivered = true
    },
    close: async () => {
      say(
        relays(facts, situation)
          ? 'The server closes the channel; that takes a block.'
          : 'Confirm the transaction in your wallet; then it takes a block.',
      )
      await connected().closeChannel()
    },
    'request-close': async () => {
      say('Confirm the transaction in your wallet; then it takes a block.')
      await connected().requestClose()
    },
    settle: async () => {
      say('Confirm the transaction in your wallet; then it takes a block.')
      await connected().settle()
    },
    forget: async () => connected().forgetChannel(),
  }

  function connected(): BrowserClient {
    if (client !== undefined) return client
    throw new UraidenError({
      code: 'not_connected',
      message: 'No wallet is connected.',
      hint: 'Choose a wallet first.',
    })
  }

  async function connect(provider: Eip1193Provider, accounts: readonly Address[]): Promise<void> {
    wallet = provider
    client = undefined
    situation = undefined
    wrongChain = false
    const [account] = accounts
    if (account === undefined) return
    const { receiver, contract, api, chainId, relay } = facts
    const { signal } = waiting
    const options = { wallet: provider, account, receiver, contract, api, chainId, relay, signal }
    client = await createBrowserClient(options)
    canBuyTokens = await client.canBuyTokens()
    if ((await client.channel()) === undefined && !client.isOpening()) await client.findChannel()
  }

  /** One thing at a time; what goes wrong is said, and the situation is looked at again. */
  async function run(task: () => Promise<void>): Promise<void> {
    if (busy) return
    busy = true
    showError(view, undefined)
    draw()
    try {
      await task()
      await look()
      if (client?.isOpening()) {
        say('The channel is being opened; that takes a block or two.')
        await client.awaitOpening()
        await look()
      }
      say('')
    } catch (error) {
      say('')
      report(error)
      await recover()
    } finally {
      busy = false
      draw()
    }
  }

  function report(error: unknown): void {
    wrongChain = isUraidenError(error, 'wrong_chain')
    if (isUraidenError(error, 'waiting_stopped')) return
    const said = isUraidenError(error)
      ? error
      : { message: 'Something went wrong in this page.', hint: String(error) }
    showError(view, said)
  }

  async function recover(): Promise<void> {
    if (waiting.signal.aborted && wallet !== undefined) {
      waiting = new AbortController()
      await connect(wallet, await listAccounts(wallet)).catch(report)
    }
    await look().catch(() => undefined)
  }

  async function look(): Promise<void> {
    const asked = client
    if (asked === undefined) return
    const [tokens, lacksEther, block, channel] = await Promise.all([
      asked.tokenBalance(),
      asked.lacksEther(),
      asked.blockNumber(),
      asked.channel(),
    ])
    // Another account or network was chosen meanwhile.
    if (asked !== client) return
    const { challengePeriod } = asked.contract
    const opening = asked.isOpening()
    situation = { tokens, lacksEther, block, channel, opening, challengePeriod, canBuyTokens }
    draw()
  }

  function say(text: string): void {
    setText(view.status, text)
  }

  function draw(): void {
    render(view, facts, { client, situation, busy, wrongChain, delivered })
  }

  function offer(found: AnnouncedWallet): void {
    offered.push(found)
    const { provider, name, icon } = found
    const choose = () =>
      void run(async () => {
        say(`Connect this page in ${name}.`)
        await connect(provider, await requestAccounts(provider))
      })
    const image = icon === '' ? [] : [h('img', { src: icon, alt: '' })]
    const attributes = { type: 'button', class: 'u-primary', onclick: choose }
    view.wallets.append(h('button', attributes, ...image, `Connect ${name}`))
    const changed = () => {
      if (wallet !== provider) return
      void run(async () => connect(provider, await listAccounts(provider)))
    }
    provider.on?.('accountsChanged', changed)
    provider.on?.('chainChanged', changed)
  }

  /** A wallet that knows this page already need not be asked again. */
  async function reconnect(): Promise<void> {
    for (const { provider } of offered) {
      const accounts = await listAccounts(provider).catch(() => [])
      if (accounts.length > 0) return connect(provider, accounts)
    }
  }

  clearCookies()
  draw()
  discoverWallets(offer)
  void run(reconnect)
  setTimeout(() => {
    if (offered.length === 0) say(noWallet)
  }, walletsWithin)
  setInterval(() => {
    if (!document.hidden) look().catch(() => undefined)
  }, lookEvery)
}

function notDelivered(status: number): UraidenError {
  return new UraidenError({
    code: 'not_delivered',
    message: `The server could not deliver it (${status}).`,
    hint: 'It has cost nothing: the same payment is used for the next try.',
  })
}
