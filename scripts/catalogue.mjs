// Catalogues in the format of Nango's `providers.yaml`: a map of entries by the name of the
// provider. Aliases are resolved here; whether an entry is any good is for a deployment to say.
import { parseDocument } from "yaml";

/**
 * Reads the text of a catalogue: `{ providers, mistakes }`. A provider is `{ name, entry }`, or
 * `{ name, issues }` if its alias leads nowhere. The mistakes are of the whole text, and with any
 * there are no providers.
 */
export function readCatalogue(text) {
  const { entries, mistakes } = readYaml(text);
  if (mistakes.length > 0) return { providers: [], mistakes };
  if (!isObject(entries)) return { providers: [], mistakes: ["It is no map of providers"] };
  const providers = Object.keys(entries).map((name) => {
    try {
      return { name, entry: resolved(entries, name, []) };
    } catch (error) {
      if (!(error instanceof AliasError)) throw error;
      return { name, issues: [{ path: ["alias"], message: error.message }] };
    }
  });
  return { providers, mistakes: [] };
}

function readYaml(text) {
  const document = parseDocument(text, { merge: true });
  const mistakes = document.errors.map(({ message }) => message);
  if (mistakes.length > 0) return { mistakes };
  try {
    return { entries: document.toJS(), mistakes };
  } catch ({ message }) {
    return { mistakes: [message] }; // YAML's own aliases are resolved only now.
  }
}

class AliasError extends Error {}

// An alias has all fields of the other entry; its own go over them, each as a whole.
function resolved(entries, name, seen) {
  if (seen.includes(name)) throw new AliasError(`A circle: ${[...seen, name].join(" → ")}`);
  if (!Object.hasOwn(entries, name)) throw new AliasError(`There is no provider "${name}"`);
  const own = entries[name];
  if (typeof own?.alias !== "string") return own;
  return { ...resolved(entries, own.alias, [...seen, name]), ...own };
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
