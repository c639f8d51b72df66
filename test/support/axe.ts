// axe-core in a page: what a person who cannot see or use a mouse would stumble over.
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Serious and critical violations, each with where it is; empty is good. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const page = globalThis as unknown as { readonly axe: typeof axe }
    const { violations } = await page.axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`))
  })
}
