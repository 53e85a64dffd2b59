/** `fgsm: why` and `pgd-linf: why` as `fgsm, pgd-linf: why`: what was found about the model is said once, whichever attacks it concerns. */
export const joinReasons = (reasons: readonly string[]): string => {
  const attacks = new Map<string, string[]>();
  for (const reason of reasons) {
    const [, attack, why] = /^([\w-]+): (.*)$/s.exec(reason) ?? [reason, '', reason];
    attacks.set(why!, [...(attacks.get(why!) ?? []), ...(attack ? [attack] : [])]);
  }
  return [...attacks].map(([why, names]) => [names.join(', '), why].filter(Boolean).join(': ')).join('; ');
};
