// The languages of the pages. Texts are written in English where they are used: t('Join'); the others have a dictionary each.
const languages = {en: 'English', ko: '한국어'};

function chosen() {
  const given = new URLSearchParams(location.search).get('lang');
  let kept = null;
  try { kept = localStorage.getItem('cardea-language'); } catch { /* private window */ }
  return [given, kept, ...navigator.languages.map(tag => tag.slice(0, 2))].find(code => code in languages) ?? 'en';
}

export const language = chosen();
const dictionary = language === 'en' ? {} : (await import(`./words.${language}.js`)).default;

/** The text in the page's language, with {name}s filled in. */
export function t(text, values = {}) {
  return (dictionary[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Puts the page into its language: texts of elements with data-t, and the attributes that data-t names ("title aria-label"). */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-t]')) {
    const attributes = element.dataset.t.split(' ').filter(Boolean);
    for (const name of attributes) element.setAttribute(name, t(element.getAttribute(name)));
    if (attributes.length === 0) element.textContent = t(element.textContent.trim());
  }
  document.title = t(document.title);
}

/** The choice of language, for the header. */
export function languageChoice() {
  const select = document.createElement('select');
  select.setAttribute('aria-label', t('Language'));
  for (const [code, name] of Object.entries(languages)) select.add(new Option(name, code, false, code === language));
  select.onchange = () => {
    try { localStorage.setItem('cardea-language', select.value); } catch { /* private window */ }
    const url = new URL(location.href);
    if (url.searchParams.has('lang')) url.searchParams.set('lang', select.value);
    if (url.href === location.href) location.reload();
    else location.href = url.href;
  };
  return select;
}
