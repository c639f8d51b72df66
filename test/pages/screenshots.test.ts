// Pictures of the pages for docs/images, written when URAIDEN_SCREENSHOTS names a folder; without it
// the pages are only looked at, so that the pictures can be made again whenever they change.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { createReceiverServer } from '../../receiver/index.ts'
import { resourcesSchema } from '../../receiver/resources/configuration/schema.ts'
import { createAdmin } from '../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../receiver/server/admin/config.ts'
import { hashSecret } from '../../receiver/server/admin/secrets.ts'
import { listenAdmin } from '../support/admin.ts'
import { monthEnd, startMonthPage } from '../support/agent-month.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { withChannels } from '../support/many-channels.ts'
import { unfitElements } from '../support/measure.ts'
import { costs, price, startShop } from '../support/page-shop.ts'
import { startWiki } from '../support/page-wiki.ts'
import { thirtyDays } from '../support/thirty-days.ts'

const folder = process.env.URAIDEN_SCREENSHOTS
const schemes = ['light', 'dark'] as const
const screens = {
  desktop: { width: 1100, height: 860 },
  phone: { width: 390, height: 844 },
} as const

/** Taller: what is spent stands below jobs and budgets. */
const agentScreens = {
  desktop: { width: 1280, height: 1640 },
  phone: { width: 390, height: 1480 },
} as const

async function picture(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({
    ...(folder !== undefined && { path: join(folder, `${name}.png`) }),
    animations: 'disabled',
  })
}

test.serial('pictures of the paywall page', async (t) => {
  const goods = resourcesSchema.parse({
    '/garden/temperature': {
      ...{ price: `${price} units`, command: 'echo 21.4' },
      title: 'Temperature in the garden',
      description: 'In the shade of the house, measured every minute.',
    },
  })
  const { base, chain, wallet } = await startShop(t, { seller: 'Ann’s weather shop' }, {}, goods)
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(screens)) {
      // Each window makes a key of its own for the channel, and a later one is of a later block.
      await chain.mine(1)
      const { page } = await openWindow(browser, { wallet, colorScheme, viewport })
      await page.goto(`${base}/garden/temperature`)
      const open = page.getByRole('button', { name: 'Open a channel' })
      const pay = page.getByRole('button', { name: `Pay ${costs}` })
      await open.or(pay).first().waitFor()
      if (await open.isVisible()) {
        if (screen === 'desktop') await picture(page, `paywall-open-${colorScheme}`)
        await open.click()
      }
      await pay.click()
      await page.getByRole('region', { name: 'What you bought' }).waitFor()
      await page.getByText(/more purchases?\./).waitFor()
      t.true((await picture(page, `paywall-${screen}-${colorScheme}`)).length > 1000)
    }
  }
})

test.serial('pictures of the paywall in a browser without a wallet', async (t) => {
  const { base } = await startShop(t, { seller: 'Ann’s weather shop' })
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    const { page } = await openWindow(browser, { colorScheme, viewport: screens.phone })
    await page.goto(`${base}/reading`)
    await page.getByRole('img', { name: 'QR code' }).waitFor()
    t.true((await picture(page, `paywall-elsewhere-${colorScheme}`)).length > 1000)
  }
})

test.serial('pictures of the paywall over a teaser', async (t) => {
  const { base, wallet } = await startWiki(t)
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(screens)) {
      const { page } = await openWindow(browser, { wallet, colorScheme, viewport })
      await page.goto(`${base}/wiki/Payment_channel`)
      await page.frameLocator('iframe').getByText('Two parties pay each other').waitFor()
      await page.getByText('No channel yet.').waitFor()
      t.true((await picture(page, `teaser-${screen}-${colorScheme}`)).length > 1000)
    }
  }
})

/** Of the pictures: whenever they are made, they show the same month. */
const today = Date.UTC(2026, 10, 28, 14, 20)

async function startDashboard(t: ExecutionContext, password: string): Promise<string> {
  const users = { owner: await hashSecret(password) }
  const admin = await createAdmin(adminSchema.parse({ users, attempts: 1000 }))
  const { receiver } = await startShop(t)
  const { income, traffic, channels, buyers } = thirtyDays(today / 1000)
  const due = channels.reduce((sum, { claims, withdrawn }) => sum + claims.highest - withdrawn, 0n)
  const { book, ...rest } = withChannels(receiver, () => channels)
  const shown = {
    ...rest,
    book: { ...book, unsettled: () => due },
    liquidBalance: () => 37n * 10n ** 18n,
  }
  const history = { history: () => income, stop: async () => undefined }
  const given = { admin, traffic, buyers, income: history }
  const server = await createReceiverServer(shown, [], given)
  t.teardown(() => server.close())
  const prices = {
    '/sensors/temperature': '0.005 TKN',
    '/archive/*': '0.02 TKN',
    '/api/*': '0.001 TKN',
  }
  for (const [path, cost] of Object.entries(prices)) {
    server.get(path, { config: { price: cost } }, () => '')
  }
  return listenAdmin(t, admin)
}

test.serial('pictures of the dashboard, with thirty days of data', async (t) => {
  const password = 'correct horse'
  const base = await startDashboard(t, password)
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(screens)) {
      const { page, complaints } = await openWindow(browser, { colorScheme, viewport })
      await page.clock.setFixedTime(today)
      await page.setViewportSize({ ...viewport, height: screen === 'phone' ? 1500 : 1350 })
      await page.goto(`${base}/admin`)
      await page.getByLabel('User').fill('owner')
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('7 of 7 channels').waitFor()
      await page.getByText('Refused: ').waitFor()
      t.deepEqual(await unfitElements(page), [])
      t.true((await picture(page, `dashboard-${screen}-${colorScheme}`)).length > 1000)
      t.deepEqual(complaints, [])
    }
  }
})

test.serial('pictures of the agent’s page', async (t) => {
  const { url } = await startMonthPage(t)
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(agentScreens)) {
      const { page } = await openWindow(browser, { colorScheme, viewport })
      await page.clock.setFixedTime(monthEnd)
      await page.goto(url)
      await page.locator('.a-plot canvas').waitFor()
      await page.getByRole('button', { name: '30 days' }).click()
      await page.getByRole('button', { name: '30 days', pressed: true }).waitFor()
      await page.evaluate('scrollTo(0, 0)')
      t.true((await picture(page, `agent-${screen}-${colorScheme}`)).length > 1000)
    }
  }
})
