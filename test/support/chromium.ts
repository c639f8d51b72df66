// A real browser for tests of the pages: Debian's Chromium, with a wallet in it.
import type { ExecutionContext } from 'ava'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findChromium } from './find-chromium.ts'
import type { TestWallet } from './wallet.ts'

/** A name that is this machine and, over plain HTTP, no secure context: unlike 127.0.0.1. */
export const plainHost = 'shop.test'

/** Closed when the test ends. */
export async function startChromium(t: ExecutionContext): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium: apt-get install chromium')
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      `--host-resolver-rules=MAP ${plainHost} 127.0.0.1`,
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

interface OpenOptions extends BrowserContextOptions {
  readonly wallet?: TestWallet
}

/**
 * A window of its own, with nothing stored. What the page reports as an error, and what its
 * Content-Security-Policy stops, is collected: a test ends with none.
 */
export async function openWindow(browser: Browser, options: OpenOptions = {}) {
  const { wallet, ...context } = options
  const window = await browser.newContext(context)
  const complaints: string[] = []
  const page = await window.newPage()
  if (wallet !== undefined) await plugIn(page, wallet)
  // Long, for machines that do a lot besides; what is there is seen at once.
  page.setDefaultTimeout(180_000)
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    // The browser notes each 402 itself: here it is the rule.
    if (message.type() === 'error' && !/status of (402|5\d\d)/.test(text)) complaints.push(text)
  })
  return { window, page, complaints }
}

/** Announces the wallet by EIP-6963; each request goes to the real one outside of the browser. */
async function plugIn(page: Page, wallet: TestWallet): Promise<void> {
  await page.exposeFunction(
    'uraidenTestWallet',
    async (call: { readonly method: string; readonly params?: readonly unknown[] }) => {
      try {
        return { result: await wallet.request(call) }
      } catch (error) {
        const { code, message, data } = error as Record<string, unknown>
        return { error: { code, message, data } }
      }
    },
  )
  await page.addInitScript(announceWallet)
}

/** Runs in the page. */
function announceWallet(): void {
  type Answer = { readonly result?: unknown; readonly error?: object }
  type Listener = (value: unknown) => void
  const page = globalThis as unknown as EventTarget & {
    readonly uraidenTestWallet: (call: unknown) => Promise<Answer>
    uraidenTestEvents: Map<string, Listener[]>
  }
  const listeners = new Map<string, Listener[]>()
  page.uraidenTestEvents = listeners
  const provider = {
    request: async (call: unknown) => {
      const { result, error } = await page.uraidenTestWallet(call)
      if (error !== undefined) throw error
      return result
    },
    on: (event: string, listener: Listener) => {
      listeners.set(event, [...(listeners.get(event) ?? []), listener])
    },
  }
  const info = { uuid: 'test', name: 'Test Wallet', icon: '', rdns: 'test.wallet' }
  const announce = () =>
    page.dispatchEvent(
      Object.assign(new Event('eip6963:announceProvider'), { detail: { info, provider } }),
    )
  page.addEventListener('eip6963:requestProvider', announce)
  announce()
}
