// A list that changes while somebody reads it: what stays keeps its element, and with it the focus.
import { h, show } from './dom.ts'

export interface Entry<Item> {
  readonly element: HTMLElement
  readonly show: (item: Item) => void
}

export interface ListOptions<Item> {
  /** The element that holds the entries. */
  readonly holder: HTMLElement
  /** Of each item another one. */
  readonly keyOf: (item: Item) => string
  readonly make: (item: Item) => Entry<Item>
  /** What is said when there are none. */
  readonly empty: string
}

/** Puts itself at the end of `place`. */
export function createList<Item>(
  place: HTMLElement,
  { holder, keyOf, make, empty }: ListOptions<Item>,
): (items: readonly Item[]) => void {
  const nothing = h('p', { class: 'd-note' }, empty)
  // A table's entries are in its body; the table as a whole is shown and hidden.
  const whole = holder.closest('table')?.parentElement ?? holder
  place.append(nothing, whole)
  let entries = new Map<string, Entry<Item>>()
  return (items) => {
    const shown = new Map<string, Entry<Item>>()
    for (const [at, item] of items.entries()) {
      const key = keyOf(item)
      const entry = entries.get(key) ?? make(item)
      entry.show(item)
      shown.set(key, entry)
      if (holder.children[at] !== entry.element) {
        holder.insertBefore(entry.element, holder.children[at] ?? null)
      }
    }
    for (const [key, { element }] of entries) if (!shown.has(key)) element.remove()
    entries = shown
    show(nothing, items.length === 0)
    show(whole, items.length > 0)
  }
}
