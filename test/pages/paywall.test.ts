// A person with a wallet at the paywall page, in a real browser, against a real receiver and chain.
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import type { ReceiverOptions } from '../../receiver/index.ts'
import { openWindow, plainHost, startChromium } from '../support/chromium.ts'
import { costs, pocket, price, startShop, testCertificate } from '../support/page-shop.ts'
import { refusal, type TestWallet } from '../support/wallet.ts'

async function givenPerson(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const shop = await startShop(t, options)
  const browser = await startChromium(t)
  const { page, complaints } = await openWindow(browser, { wallet: shop.wallet })
  const visit = (path: string) => page.goto(shop.base + path)
  return { ...shop, browser, page, visit, complaints }
}

async function givenPersonOverHttps(t: ExecutionContext) {
  const shop = await startShop(t, {}, { tls: await testCertificate() })
  const browser = await startChromium(t)
  const window = { wallet: shop.wallet, ignoreHTTPSErrors: true }
  const { page, complaints } = await openWindow(browser, window)
  return { ...shop, page, complaints, visit: (path: string) => page.goto(shop.base + path) }
}

const signedBy = (wallet: TestWallet) =>
  wallet.calls
    .filter(({ method }) => method === 'eth_signTypedData_v4')
    .map(({ params }) => JSON.parse(String(params[1])).primaryType as string)

/** Runs in the page. */
function keysKept(): Promise<unknown> {
  type Key = {
    readonly type: string
    readonly usages: readonly string[]
    readonly extractable: boolean
  }
  type Kept = { readonly [name: string]: unknown }
  type Asked = { readonly result: Database; onsuccess: () => void }
  type Database = {
    readonly transaction: (name: string) => {
      readonly objectStore: (name: string) => {
        readonly getAll: () => { readonly result: readonly Kept[]; onsuccess: () => void }
      }
    }
  }
  const { indexedDB } = globalThis as unknown as {
    readonly indexedDB: { readonly open: (name: string) => Asked }
  }
  return new Promise((resolve) => {
    const asked = indexedDB.open('uraiden')
    asked.onsuccess = () => {
      const all = asked.result.transaction('keys').objectStore('keys').getAll()
      all.onsuccess = () => {
        const keys = all.result.flatMap((each) =>
          Object.values(each).filter((value) => (value as Partial<Key>)?.extractable !== undefined),
        ) as readonly Key[]
        resolve({
          keys: keys.map(({ type, usages }) => `${type} ${usages.join(' ')}`),
          extractable: keys.map(({ extractable }) => extractable),
        })
      }
    }
  })
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const bought = (page: Page) => page.getByRole('region', { name: 'What you bought' })
const left = (page: Page, text: string) => page.getByText(text).waitFor()

async function deposit(page: Page, amount: string): Promise<void> {
  await page.getByLabel(/Deposit|Add to the deposit/).fill(amount)
  await button(page, /Open a channel|Top up/).click()
}

async function openAndPay(page: Page): Promise<void> {
  await deposit(page, '0.05')
  await button(page, `Pay ${costs}`).click()
}

test.serial('a person opens, pays, reads, tops up when it is empty, and closes', async (t) => {
  const { page, visit, tokensOf, receiverAccount, senderAccount, complaints } = await givenPerson(t)
  t.is((await visit('/reading'))?.status(), 402)
  await page.getByRole('heading', { name: `This costs ${costs}` }).waitFor()
  await deposit(page, '0.01')
  await left(page, '0.01 TKN of 0.01 TKN left: 2 more purchases.')

  await button(page, `Pay ${costs}`).click()
  await bought(page).getByText('"celsius": 21.4').waitFor()
  await button(page, /Pay .* get it again/).click()
  await left(page, '0 TKN of 0.01 TKN left: 0 more purchases.')
  t.is(await button(page, /^Pay/).count(), 0)

  await deposit(page, '0.01')
  await button(page, /^Pay/).click()
  await left(page, '0.005 TKN of 0.02 TKN left: one more purchase.')

  await page.getByText('More about the channel').click()
  await button(page, 'Close the channel').click()
  await left(page, 'No channel yet.')
  t.is(await tokensOf(receiverAccount.address), 3n * price)
  t.is(await tokensOf(senderAccount.address), pocket - 3n * price)
  t.deepEqual(complaints, [])
})

test.serial(
  'over https an article is the browser’s to show, also after a reload, for one payment',
  async (t) => {
    const { page, visit, receiver, complaints } = await givenPersonOverHttps(t)
    await visit('/article')
    await openAndPay(page)
    await page.getByRole('heading', { name: 'The whole article' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'The whole article' }).waitFor()
    t.is(await page.title(), 'Its script ran')
    t.is(receiver.book.unsettled(), price)
    const cookies = await page.context().cookies()
    t.deepEqual([...new Set(cookies.map(({ name }) => name))], ['RDN-Ticket'])
    t.deepEqual(
      cookies.map(({ secure, httpOnly, sameSite, path }) => ({ secure, httpOnly, sameSite, path })),
      [{ secure: true, httpOnly: true, sameSite: 'Strict', path: '/article' }],
    )
    t.deepEqual(complaints, [])
  },
)

test.serial(
  'over plain HTTP an article is shown from what the page fetched, and nothing in it runs',
  async (t) => {
    const { page, base, receiver, wallet, complaints } = await givenPerson(t)
    await page.goto(`${base.replace('127.0.0.1', plainHost)}/article`)
    await page.getByText('This page came over plain HTTP').waitFor()
    await openAndPay(page)
    const frame = page.frameLocator('iframe[title="article"]')
    await frame.getByRole('heading', { name: 'The whole article' }).waitFor()
    t.not(await page.title(), 'Its script ran')
    await page.reload()
    await frame.getByRole('heading', { name: 'The whole article' }).waitFor()
    t.is(receiver.book.unsettled(), price)
    t.deepEqual(await page.context().cookies(), [])
    t.is(await page.evaluate(() => typeof globalThis.crypto.subtle), 'undefined')
    t.deepEqual(signedBy(wallet), ['RequestKey', 'BalanceProof'])
    // The test's own wallet is put into each frame, and is not let run in this one.
    t.deepEqual(
      complaints.filter((text) => !text.startsWith('Blocked script execution')),
      [],
    )
  },
)

test.serial(
  'the keys of a channel do not leave the browser, and are all that is kept',
  async (t) => {
    const { page, visit, complaints } = await givenPerson(t)
    await visit('/reading')
    t.is(await page.getByText('This page came over plain HTTP').isVisible(), false)
    await openAndPay(page)
    await bought(page).waitFor()
    const kept = await page.evaluate(keysKept)
    t.deepEqual(kept, { keys: ['secret sign', 'secret sign'], extractable: [false, false] })
    t.deepEqual(complaints, [])
  },
)

test.serial('a picture is shown in the page, a file is offered to be saved', async (t) => {
  const { page, visit, complaints } = await givenPerson(t)
  await visit('/photo.png')
  await openAndPay(page)
  await bought(page).getByRole('img', { name: 'photo.png' }).waitFor()
  await visit('/file')
  await button(page, `Pay ${costs}`).click()
  const saved = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Save as data.bin' }).click()
  t.is((await saved).suggestedFilename(), 'data.bin')
  t.deepEqual(complaints, [])
})

test.serial('what fails costs nothing, and the same signature pays for the next try', async (t) => {
  const { page, visit, breakGoods, receiver, wallet, complaints } = await givenPerson(t)
  breakGoods(true)
  await visit('/fails')
  await openAndPay(page)
  await page.getByRole('alert').getByText('It has cost nothing').waitFor()
  breakGoods(false)
  await button(page, `Pay ${costs}`).click()
  await bought(page).getByText('well').waitFor()
  t.is(receiver.book.unsettled(), price)
  t.deepEqual(signedBy(wallet), ['RequestKey', 'BalanceProof'])
  t.deepEqual(complaints, [])
})

test.serial(
  'reloaded while the channel opens, the page goes on with the same transaction',
  async (t) => {
    const { page, visit, chain, wallet, complaints } = await givenPerson(t)
    await visit('/reading')
    await chain.provider.send('evm_setAutomine', [false])
    await deposit(page, '0.05')
    await left(page, 'Your channel is being opened.')
    await page.reload()
    await left(page, 'Your channel is being opened.')
    await chain.provider.send('evm_setAutomine', [true])
    await chain.mine(1)
    await left(page, '10 more purchases')
    t.is(wallet.calls.filter(({ method }) => method === 'eth_sendTransaction').length, 1)
    t.deepEqual(complaints, [])
  },
)

test.serial('a deposit that is not confirmed yet is waited for, or given up', async (t) => {
  const { page, visit, chain, complaints } = await givenPerson(t, { confirmations: 4 })
  await visit('/reading')
  await openAndPay(page)
  await left(page, 'The server waits until your deposit is confirmed')
  await button(page, 'Stop waiting').click()
  await left(page, '10 more purchases')
  await button(page, `Pay ${costs}`).click()
  await left(page, 'The server waits until your deposit is confirmed')
  await chain.mine(4)
  await bought(page).waitFor()
  // Until then the server has no such channel.
  t.deepEqual(
    complaints.filter((text) => !text.includes('status of 404')),
    [],
  )
})

test.serial('what the wallet refuses is said, and can be done again', async (t) => {
  const { page, visit, wallet, complaints } = await givenPerson(t)
  const refuse = (refused: string) =>
    wallet.disturb(({ method }) => (method === refused ? refusal : undefined))
  await visit('/reading')
  refuse('eth_sendTransaction')
  await deposit(page, '0.05')
  await page.getByRole('alert').getByText('The wallet was told not to go on.').waitFor()
  refuse('eth_signTypedData_v4')
  await deposit(page, '0.05')
  await left(page, '10 more purchases')
  await button(page, `Pay ${costs}`).click()
  await page.getByRole('alert').getByText('Nothing was signed').waitFor()
  refuse('nothing')
  await button(page, `Pay ${costs}`).click()
  await bought(page).waitFor()
  t.deepEqual(complaints, [])
})

test.serial('a wallet on the wrong network is asked to switch', async (t) => {
  const { browser, base, wallet, chain } = await givenPerson(t)
  let chainId = '0x1'
  const switching: typeof wallet = {
    ...wallet,
    request: async (call) => {
      if (call.method === 'eth_chainId') return chainId
      if (call.method !== 'wallet_switchEthereumChain') return wallet.request(call)
      const [wanted] = call.params as readonly [{ readonly chainId: string }]
      chainId = wanted.chainId
      return null
    },
  }
  const { page, complaints } = await openWindow(browser, { wallet: switching })
  await page.goto(`${base}/reading`)
  await page.getByRole('alert').getByText('on chain 1, the receiver is on chain 31337').waitFor()
  await button(page, 'Switch the wallet’s network').click()
  await left(page, 'No channel yet.')
  t.is(BigInt(chainId), chain.chainId)
  t.deepEqual(complaints, [])
})

test.serial('the server restarts between two payments, and is away for a third', async (t) => {
  const { page, visit, restart, stop, receiverAccount, tokensOf } = await givenPerson(t)
  await visit('/reading')
  await openAndPay(page)
  await bought(page).waitFor()
  await restart()
  await button(page, /get it again/).click()
  await left(page, '8 more purchases')
  await stop()
  await button(page, /get it again/).click()
  await page.getByRole('alert').getByText('The server does not answer.').waitFor()
  await restart()
  await button(page, /get it again/).click()
  await left(page, '7 more purchases')
  await page.getByText('More about the channel').click()
  await button(page, 'Close the channel').click()
  await left(page, 'No channel yet.')
  t.is(await tokensOf(receiverAccount.address), 3n * price)
})

test.serial('without the server: close, wait for the challenge period, settle', async (t) => {
  const { page, visit, chain, tokensOf, senderAccount, complaints } = await givenPerson(t)
  await visit('/reading')
  await deposit(page, '0.05')
  await left(page, '10 more purchases')
  await page.getByText('More about the channel').click()
  t.is(await button(page, 'Close the channel and').count(), 0)
  await button(page, 'Close without the server').click()
  await left(page, 'it can be settled after block')
  await chain.mine(501)
  await button(page, 'Settle').click()
  await left(page, 'No channel yet.')
  t.is(await tokensOf(senderAccount.address), pocket)
  t.deepEqual(complaints, [])
})

test.serial('a channel that this browser does not know is found on the chain', async (t) => {
  const { page, visit, receiver, complaints } = await givenPerson(t)
  await visit('/reading')
  await openAndPay(page)
  await bought(page).waitFor()
  await page.evaluate(() => {
    localStorage.clear()
    sessionStorage.clear()
  })
  await page.reload()
  await left(page, 'what is left is asked for with the first payment')
  await button(page, `Pay ${costs}`).click()
  await left(page, '8 more purchases')
  t.is(receiver.book.unsettled(), 2n * price)
  t.deepEqual(complaints, [])
})

test.serial('without a wallet the page says what it costs and how else to pay', async (t) => {
  const { browser, base } = await givenPerson(t)
  const { page, complaints } = await openWindow(browser)
  await page.goto(`${base}/reading`)
  await page.getByRole('heading', { name: `This costs ${costs}` }).waitFor()
  await left(page, 'No Ethereum wallet was found in this browser.')
  const noScript = await openWindow(browser, { javaScriptEnabled: false })
  await noScript.page.goto(`${base}/reading`)
  await left(noScript.page, 'use a browser with an Ethereum wallet')
  t.deepEqual([...complaints, ...noScript.complaints], [])
})

test.serial(
  'without ether: the server opens, tops up and closes, the wallet only signs',
  async (t) => {
    const { page, visit, wallet, chain, senderAccount, tokensOf, complaints } = await givenPerson(
      t,
      {
        relay: {},
        transactionPoll: 20,
      },
    )
    await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
    await visit('/reading')
    await left(page, 'so the server sends it: you sign twice')
    await deposit(page, '0.005')
    await left(page, '0.005 TKN of 0.005 TKN left: one more purchase.')
    await button(page, `Pay ${costs}`).click()
    await bought(page).getByText('"celsius": 21.4').waitFor()
    await left(page, '0 more purchases')
    await deposit(page, '0.01')
    await left(page, '2 more purchases')
    await page.getByText('More about the channel').click()
    await button(page, 'Close the channel').click()
    await left(page, 'No channel yet.')
    t.is(await tokensOf(senderAccount.address), pocket - price)
    t.is(wallet.calls.filter(({ method }) => method === 'eth_sendTransaction').length, 0)
    t.is(await chain.provider.getTransactionCount(senderAccount.address), 0)
    t.deepEqual(complaints, [])
  },
)

test.serial(
  'without ether, and a server that relays nothing: the page says what is missing',
  async (t) => {
    const { page, visit, chain, senderAccount } = await givenPerson(t)
    await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
    await visit('/reading')
    await left(page, 'send some ether to it first')
    t.pass()
  },
)
