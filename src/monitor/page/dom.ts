type Child = Node | string | undefined;

/**
 * An element with attributes and children. Text is only ever text: nothing here reads markup, so that an SQL
 * text or a message cannot become part of the page.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export function button(label: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button' }, label);
  made.addEventListener('click', pressed);
  return made;
}

/** @throws where the page has no such element */
export function byId<Kind extends HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found as Kind;
}

export function bodyOf(section: string): HTMLElement {
  const found = byId(section).querySelector<HTMLElement>('.body');
  if (found === null) throw new Error(`The section #${section} has no body.`);
  return found;
}

/** Writes only what has changed: the rest keeps its selection. */
export function setText(target: Node, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A table or text that may be wider than its place: it can be scrolled by keyboard too. */
export function scrollable(label: string, child: Node): HTMLDivElement {
  return element('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' }, child);
}

const base = document.body.dataset['base'] ?? '';

/** Of the monitor. */
export function addressOf(path: string): string {
  return `${base}${path}`;
}

/** Asks for a change; the header says that this page did. @throws an Error with the server's words */
export async function change(path: string): Promise<unknown> {
  const response = await fetch(addressOf(path), { method: 'POST', headers: { 'x-millpond-monitor': '1' } });
  const answer = (await response.json()) as { readonly detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `The server answered ${response.status}.`);
  return answer;
}
