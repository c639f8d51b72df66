// The owner at the dashboard, in a real browser, while somebody buys.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { Contract, Wallet } from 'ethers'
import type { Page } from 'playwright-core'
import { createBrowserClient } from '../../browser/index.ts'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import type { Address } from '../../protocol/index.ts'
import { createReceiverServer } from '../../receiver/index.ts'
import { createAdmin } from '../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../receiver/server/admin/config.ts'
import { hashSecret } from '../../receiver/server/admin/secrets.ts'
import { listenAdmin } from '../support/admin.ts'
import { seriousViolations } from '../support/axe.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { manyChannels, withChannels } from '../support/many-channels.ts'
import { mapStore } from '../support/map-store.ts'
import { unfitElements } from '../support/measure.ts'
import { price, startShop } from '../support/page-shop.ts'

const password = 'correct horse'

async function givenOwner(t: ExecutionContext, colorScheme: 'light' | 'dark' = 'light') {
  const admin = await createAdmin(
    adminSchema.parse({ users: { owner: await hashSecret(password) }, attempts: 1000 }),
  )
  const server: { admin: typeof admin; buyers: Map<Address, string> } = { admin, buyers: new Map() }
  const shop = await startShop(t, { transactionPoll: 20 }, server)
  const { wallet, senderAccount, receiverAccount, contract, base } = shop
  server.buyers.set(senderAccount.address, 'kitchen')
  const buyer = await createBrowserClient({
    wallet,
    account: senderAccount.address,
    receiver: receiverAccount.address,
    contract,
    api: `${base}/api/1`,
    storage: mapStore(),
    interval: 50,
  })
  await buyer.openChannel(10n * price)
  const buy = () => buyer.pay(`${base}/reading`, { price })
  const window = await openWindow(await startChromium(t), { colorScheme })
  return { ...shop, goods: base, base: shop.adminBase, ...window, buyer, buy }
}

async function logIn(page: Page, base: string): Promise<void> {
  await page.goto(`${base}/admin`)
  await page.getByLabel('User').fill('owner')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('What is shown follows by itself.').waitFor()
}

/** The value of a tile. */
const tile = (page: Page, name: string, value: string) =>
  page.locator('.d-tile', { hasText: name }).getByText(value, { exact: true }).waitFor()

test.serial('the owner logs in, sees payments as they come, withdraws and closes', async (t) => {
  const { page, base, buy, tokensOf, receiverAccount, complaints } = await givenOwner(t)
  await page.goto(`${base}/admin`)
  await page.getByLabel('User').fill('owner')
  await page.getByLabel('Password').fill('guess')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('User or password is wrong.').waitFor()
  await logIn(page, base)
  await tile(page, 'Open channels', '1')
  await buy()
  await tile(page, 'To collect', '0.005 TKN')
  await tile(page, 'Income today (UTC)', '0.005 TKN')
  await page.getByRole('cell', { name: '/photo.png' }).waitFor()

  const withdraw = page.getByRole('button', { name: 'Withdraw', exact: true })
  await withdraw.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('0.005 TKN from 1 channel,').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  t.is(await tokensOf(receiverAccount.address), 0n)
  await withdraw.click()
  await dialog.getByRole('button', { name: 'Withdraw' }).click()
  await page.getByText('Collected 0.005 TKN.').waitFor()
  t.is(await tokensOf(receiverAccount.address), price)

  await buy()
  await tile(page, 'To collect', '0.005 TKN')
  await page.getByRole('button', { name: /^Close channel of 0x/ }).click()
  await dialog.getByRole('button', { name: 'Close it' }).click()
  await page.getByText('is closed.').waitFor()
  await tile(page, 'Open channels', '0')
  t.is(await tokensOf(receiverAccount.address), 2n * price)

  await page.reload()
  await tile(page, 'Income today (UTC)', '0.01 TKN')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('User').waitFor()
  await page.reload()
  await page.getByLabel('User').waitFor()
  t.deepEqual(
    complaints.filter((text) => !text.includes('401')),
    [],
  )
})

test.serial('no page of another site acts in the owner’s place', async (t) => {
  const { page, window, base, buy, tokensOf, receiverAccount } = await givenOwner(t)
  await buy()
  await logIn(page, base)
  t.deepEqual(await window.cookies(), [])
  const evil = await window.newPage()
  await evil.goto(await startOtherSite(t))
  const outcomes = await evil.evaluate(async (target) => {
    const tries = [
      { method: 'POST', mode: 'no-cors', credentials: 'omit' },
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    ] as const
    return Promise.all(
      tries.map((init) =>
        fetch(`${target}/api/1/admin/withdraw`, init).then(
          (answer) => `${answer.status}`,
          () => 'stopped',
        ),
      ),
    )
  }, base)
  // The first is sent and answered 401, which no-cors hides as 0; the second fails its preflight.
  t.deepEqual(outcomes, ['0', 'stopped'])
  t.is(await tokensOf(receiverAccount.address), 0n)
})

test.serial('ten thousand channels are filtered, sorted, paged and saved', async (t) => {
  const { page, receiver, complaints } = await givenOwner(t)
  const many = manyChannels(10_000)
  const users = { owner: await hashSecret(password) }
  const admin = await createAdmin(adminSchema.parse({ users }))
  const server = await createReceiverServer(
    withChannels(receiver, () => many),
    [],
    { admin },
  )
  t.teardown(() => server.close())
  const administration = await listenAdmin(t, admin)
  const sizes: number[] = []
  page.on('response', async (response) => {
    if (!response.url().includes('/admin/channels?')) return
    // The last one may still be coming when the page is closed.
    const listed: readonly unknown[] = await response.json().catch(() => [])
    sizes.push(listed.length)
  })
  await logIn(page, administration)
  const rows = page.getByRole('region', { name: 'Table of channels' }).locator('tbody tr')
  await page.getByText('10000 of 10000 channels, page 1 of 200').waitFor()
  t.is(await rows.count(), 50)
  await rows.first().getByText('9999', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('page 2 of 200').waitFor()
  await rows.first().getByText('9949', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Previous' }).click()
  await page.getByText('page 1 of 200').waitFor()
  await page.getByRole('button', { name: 'Opened in block', exact: true }).click()
  await rows.first().getByText('0', { exact: true }).waitFor()
  t.true(sizes.every((size) => size <= 50))
  await page.getByLabel('State').selectOption('open')
  await page.getByText('2500 of 10000 channels, page 1 of 50').waitFor()
  await page.getByLabel('Buyer').fill('2701')
  await page.getByText('1 of 10000 channels').waitFor()
  await page.getByLabel('Buyer').fill('')
  await page.getByText('2500 of 10000 channels').waitFor()
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save as CSV' }).click()
  const text = await readFile(await (await saved).path(), 'utf8')
  t.is(text.trimEnd().split('\r\n').length, 2501)
  t.deepEqual(complaints, [])
})

test.serial('close all asks first, ends every channel, and pays out', async (t) => {
  const { page, base, buy, tokensOf, receiverAccount, complaints } = await givenOwner(t)
  await buy()
  await logIn(page, base)
  await tile(page, 'To collect', '0.005 TKN')
  const closeAll = page.getByRole('button', { name: 'Close all', exact: true })
  await closeAll.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The channels end for good.').waitFor()
  await page.keyboard.press('Escape')
  t.is(await tokensOf(receiverAccount.address), 0n)
  await closeAll.click()
  await dialog.getByRole('button', { name: 'Close all' }).click()
  await page.getByText('Collected 0.005 TKN.').waitFor()
  await tile(page, 'Open channels', '0')
  await tile(page, 'To collect', '0 TKN')
  t.is(await tokensOf(receiverAccount.address), price)
  await closeAll.click()
  await page.getByText('There is nothing to collect.').waitFor()
  t.deepEqual(complaints, [])
})

test.serial('a sender that asks to close for less is shown until it is answered', async (t) => {
  const { page, base, goods, buy, chain, contract, senderAccount, receiverAccount, ...given } =
    await givenOwner(t)
  const { tokensOf, complaints } = given
  await buy()
  await buy()
  await logIn(page, base)
  await tile(page, 'To collect', '0.01 TKN')
  const disputes = page.getByRole('region', { name: 'Disputes' })
  t.false(await disputes.isVisible())
  // Without ether the receiver cannot answer: the dispute stays open until it has some.
  await chain.provider.send('hardhat_setBalance', [receiverAccount.address, '0x0'])
  const channels = new Contract(
    contract,
    channelsAbi,
    new Wallet(senderAccount.privateKey, chain.provider),
  )
  const { open_block: openBlock } = (
    (await (await fetch(`${goods}/api/1/channels`)).json()) as readonly [{ open_block: string }]
  )[0]
  await channels.getFunction('uncooperativeClose')(receiverAccount.address, openBlock, price)
  await disputes.getByText('At risk if nobody answers: 0.005 TKN').waitFor()
  await disputes
    .getByText(
      /kitchen \(0x3C44…93BC\), block \d+: 0\.005 TKN, answer \w+, settles after block \d+/,
    )
    .waitFor()
  t.deepEqual(await seriousViolations(page), [])
  await tile(page, 'Channels closing', '1')
  await chain.provider.send('hardhat_setBalance', [receiverAccount.address, '0xde0b6b3a7640000'])
  await chain.mine(1)
  await tile(page, 'Channels closing', '0')
  await disputes.waitFor({ state: 'hidden' })
  t.is(await tokensOf(receiverAccount.address), 2n * price)
  t.deepEqual(complaints, [])
})

test.serial('a receiver that restarts asks for a new login', async (t) => {
  const { page, base, restart } = await givenOwner(t)
  await logIn(page, base)
  await restart()
  await page.getByText('What is shown follows by itself.').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('User').waitFor()
  t.pass()
})

test.serial('income and requests are shown by day, hour and resource, and saved', async (t) => {
  const { page, base, goods, buy, buyer, breakGoods, senderAccount, complaints } =
    await givenOwner(t)
  await buy()
  await buy()
  breakGoods(true)
  await buyer.pay(`${goods}/fails`, { price }).catch(() => undefined)
  await fetch(`${goods}/photo.png`)
  await logIn(page, base)
  const figures = page.getByRole('region', { name: 'Income and requests' })
  const row = (path: string) =>
    figures.getByRole('row').filter({ has: page.getByText(path, { exact: true }) })
  const cells = (path: string) => row(path).getByRole('cell').allTextContents()
  await row('/fails').waitFor()
  t.deepEqual(await cells('/reading'), ['/reading', '0.01 TKN', '2', '0', '0', '0'])
  t.deepEqual((await cells('/fails')).slice(0, 4), ['/fails', '0 TKN', '0', '1'])
  t.deepEqual(await cells('/photo.png'), ['/photo.png', '0 TKN', '0', '0', '0', '1'])
  await figures.getByText('As a table').click()
  const newest = () =>
    figures.getByRole('table').first().getByRole('row').nth(1).getByRole('cell').allTextContents()
  t.deepEqual((await newest()).slice(1, 3), ['0.01 TKN', '2'])
  await figures.getByRole('button', { name: '48 hours' }).click()
  await figures
    .getByText(/^\d{4}-\d\d-\d\d \d\d:00$/)
    .first()
    .waitFor()
  t.is(await figures.getByRole('button', { pressed: true }).textContent(), '48 hours')
  const saved = page.waitForEvent('download')
  await figures.getByRole('button', { name: 'Save income as CSV' }).click()
  const file = await saved
  t.is(file.suggestedFilename(), 'income-by-hour.csv')
  const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n')
  const sums = lines.slice(1).map((line) => line.split(','))
  t.is(
    sums.reduce((sum, [, , income = '0']) => sum + BigInt(income), 0n),
    2n * price,
  )
  await page.getByText('kitchen (0x').waitFor()
  await page.getByLabel('Buyer').fill('KITCH')
  await page.getByText('1 of 1 channel, page 1 of 1').waitFor()
  await page.getByLabel('Buyer').fill('cellar')
  await page.getByText('0 of 1 channel,').waitFor()
  await page.getByLabel('Buyer').fill(senderAccount.address.slice(0, 8))
  await page.getByText('1 of 1 channel,').waitFor()
  t.deepEqual(complaints, [])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`nothing is cut off or scrolls sideways at any width, ${colorScheme}`, async (t) => {
    const { page, base, buy } = await givenOwner(t, colorScheme)
    await page.goto(`${base}/admin`)
    await page.getByLabel('User').waitFor()
    const fits = async (step: string) => {
      for (const width of [320, 390, 768, 1280]) {
        await page.setViewportSize({ width, height: 800 })
        t.deepEqual(await unfitElements(page), [], `${step} at ${width}`)
      }
    }
    await fits('the login')
    await buy()
    await logIn(page, base)
    await tile(page, 'To collect', '0.005 TKN')
    await page.getByText('1 of 1 channel').waitFor()
    await page.getByText('As a table').click()
    await page.getByRole('cell', { name: '/a/rather/long/path' }).waitFor()
    await fits('the dashboard')
    t.deepEqual(await seriousViolations(page), [])
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click()
    await page.getByRole('dialog').waitFor()
    await fits('the question')
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`axe finds nothing serious on the dashboard, ${colorScheme}`, async (t) => {
    const { page, base, buy } = await givenOwner(t, colorScheme)
    await page.goto(`${base}/admin`)
    await page.getByLabel('User').waitFor()
    t.deepEqual(await seriousViolations(page), [])
    await buy()
    await logIn(page, base)
    await tile(page, 'To collect', '0.005 TKN')
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click()
    await page.getByRole('dialog').waitFor()
    t.deepEqual(await seriousViolations(page), [])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('As a table').click()
    t.deepEqual(await seriousViolations(page), [])
  })
}

/** A page on another port: another origin. */
async function startOtherSite(t: ExecutionContext): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<title>evil</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
