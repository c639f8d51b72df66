// Pictures of the pages for docs/images, written when URAIDEN_SCREENSHOTS names a folder; without it
// the pages are only looked at, so that the pictures can be made again whenever they change.
import { join } from 'node:path'
import test from 'ava'
import type { Page } from 'playwright-core'
import { createBrowserClient } from '../../browser/index.ts'
import { createAdmin } from '../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../receiver/server/admin/config.ts'
import { hashSecret } from '../../receiver/server/admin/secrets.ts'
import { monthEnd, startMonthPage } from '../support/agent-month.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { mapStore } from '../support/map-store.ts'
import { costs, price, startShop } from '../support/page-shop.ts'
import { startWiki } from '../support/page-wiki.ts'

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
  const { base, chain, wallet } = await startShop(t)
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(screens)) {
      // Each window makes a key of its own for the channel, and a later one is of a later block.
      await chain.mine(1)
      const { page } = await openWindow(browser, { wallet, colorScheme, viewport })
      await page.goto(`${base}/reading`)
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

test.serial('pictures of the dashboard', async (t) => {
  const password = 'correct horse'
  const users = { owner: await hashSecret(password) }
  const admin = await createAdmin(adminSchema.parse({ users }))
  const shop = await startShop(t, { transactionPoll: 20 }, { admin })
  const { wallet, senderAccount, receiverAccount, contract, base, adminBase } = shop
  const buyer = await createBrowserClient({
    wallet,
    account: senderAccount.address,
    receiver: receiverAccount.address,
    contract,
    api: `${base}/api/1`,
    storage: mapStore(),
    interval: 50,
  })
  await buyer.openChannel(20n * price)
  for (let bought = 0; bought < 5; bought++) await buyer.pay(`${base}/reading`, { price })
  const browser = await startChromium(t)
  for (const colorScheme of schemes) {
    for (const [screen, viewport] of Object.entries(screens)) {
      const { page } = await openWindow(browser, { colorScheme, viewport })
      await page.goto(`${adminBase}/admin`)
      await page.getByLabel('User').fill('owner')
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('1 of 1 channel').waitFor()
      t.true((await picture(page, `dashboard-${screen}-${colorScheme}`)).length > 1000)
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
