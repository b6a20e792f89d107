/**
 * Makes something of an object once: objects of the inventory are never changed, but replaced. Rules are planned anew at
 * each change, of thousands of ports that are as they were.
 */
export function perObject<Context extends object, Item extends object, Made>(
  make: (context: Context, item: Item) => Made,
): (context: Context, item: Item) => Made {
  const known = new WeakMap<Context, WeakMap<Item, Made>>();
  return (context, item) => {
    const ofContext = known.get(context) ?? new WeakMap<Item, Made>();
    known.set(context, ofContext);
    const made = ofContext.get(item) ?? make(context, item);
    ofContext.set(item, made);
    return made;
  };
}
