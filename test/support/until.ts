/** Resolves when it is so; a test that waits for ever ends by ava's own timeout, and says where. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}
