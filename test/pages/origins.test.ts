// What is sold may be anybody's page: beside the goods there is nothing of the owner's to take.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createAdmin } from '../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../receiver/server/admin/config.ts'
import { hashSecret } from '../../receiver/server/admin/secrets.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startShop } from '../support/page-shop.ts'

interface Workers {
  readonly register: (script: string) => Promise<unknown>
}

const password = 'correct horse'

test.serial(
  'a sold page does not get at the owner’s login, his backup, or the whole origin',
  async (t) => {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>Goods</title>')
    await writeFile(join(folder, 'sw.js'), 'self.onfetch = () => undefined')
    const users = { owner: await hashSecret(password) }
    const admin = await createAdmin(adminSchema.parse({ users, attempts: 1000 }))
    const files = { kind: 'files', files: folder, price: '0', free: [], links: 'inside' } as const
    const { base, adminBase } = await startShop(
      t,
      {},
      { admin },
      {
        '/boxed/*': { ...files, sandbox: true },
        '/open/*': { ...files, sandbox: false },
      },
    )
    const { page } = await openWindow(await startChromium(t))
    await page.goto(`${adminBase}/admin`)
    await page.getByLabel('User').fill('owner')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('What is shown follows by itself.').waitFor()
    for (const path of ['/boxed/', '/open/']) {
      // In the very tab, as an owner does who looks at his own shop.
      await page.goto(base + path)
      const outcome = await page.evaluate(
        async ({ administration, script }) => {
          const tried = async (work: () => unknown) => {
            try {
              return String((await work()) ?? 'nothing')
            } catch {
              return 'refused'
            }
          }
          const workers = () =>
            (navigator as unknown as { readonly serviceWorker: Workers }).serviceWorker
          const backup = (at: string) =>
            tried(async () => {
              const answer = await fetch(`${at}/api/1/admin/backup`, { credentials: 'include' })
              return answer.status
            })
          return {
            token: await tried(() => sessionStorage.getItem('uraiden-admin-token')),
            there: await backup(administration),
            here: await backup(''),
            worker: await tried(() => workers().register(script)),
          }
        },
        { administration: adminBase, script: `${path}sw.js` },
      )
      t.regex(outcome.token, /^(nothing|refused)$/, path)
      t.is(outcome.there, 'refused', path)
      t.regex(outcome.here, /^(404|refused)$/, path)
      t.is(outcome.worker, 'refused', path)
    }
  },
)
