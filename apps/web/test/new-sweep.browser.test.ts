import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, launch, open } from './browser.ts';
import { smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld, type World } from './fake-api/world.ts';

describeInBrowser('the form for a new sweep', () => {
  let browser: Browser;
  let api: FakeApi;
  let world: World;

  beforeAll(async () => {
    world = createWorld();
    world.addSweep(smallSweep, { id: 'done', done: 1 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  it('plans while a person types, and submits what it shows', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'Submit 1 trial' }).waitFor();
    const how = page.getByRole('group', { name: 'γ: default, values or range' });
    await how.getByRole('button', { name: 'Values' }).click();
    await page.getByLabel('γ: values').fill('1, 5, 10');
    await page.getByLabel('Seeds per point').fill('2');
    await page.getByRole('button', { name: 'Submit 6 trials' }).waitFor();
    await page.getByText(/Without sharing, training/).waitFor();
    await page.getByRole('button', { name: 'Submit 6 trials' }).click();
    await page.getByText('Expected at least 1 character, but got ""').waitFor(); // the sweep has no name yet
    await page.getByLabel('Name').fill('Three γ');
    await page.getByRole('button', { name: 'Submit 6 trials' }).click();
    await page.getByRole('heading', { name: 'Three γ' }).waitFor();
    const made = [...world.sweeps.values()].find(({ definition }) => definition.name === 'Three γ')!;
    expect(made.definition).toMatchObject({ space: { gamma: [1, 5, 10] }, seeds: [0, 1] });
    expect(faults).toEqual([]);
    await close();
  });

  it('shows the error of a hyperparameter beside it, and no plan', async () => {
    const { page, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'Submit 1 trial' }).waitFor();
    await page
      .getByRole('group', { name: 'Classifier rate: default, values or range' })
      .getByRole('button', { name: 'Values' })
      .click();
    await page.getByLabel('Classifier rate: values').fill('0.001, 7');
    await page
      .locator('.hyperparameter')
      .filter({ hasText: 'Classifier rate' })
      .locator('.field-error')
      .waitFor();
    await page.getByRole('button', { name: 'Submit', exact: true }).waitFor();
    await page.getByText('No plan: something in this sweep is not correct yet.').waitFor();
    await close();
  });

  it('names the lines of mistakes in the file as `funnel plan` does, and shows no plan of another text', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'YAML' }).click();
    const editor = page.getByRole('textbox', { name: 'Sweep file' });
    await editor.fill('name: x\ndataset: { name: glyphs }\nspace:\n  gamma: [1, 5]\n');
    await page.getByRole('button', { name: 'Submit 2 trials' }).waitFor();
    await editor.fill('name: x\ndataset: { name: glyphs }\nspace:\n  gama: [1, 5]\n  beta: -1\n');
    const mistakes = page.locator('.yaml-mistakes');
    await mistakes.getByText('The file has 2 mistakes:').waitFor();
    expect(await mistakes.getByRole('listitem').allTextContents()).toEqual([
      'line 4, space.gama: expected a known key (did you mean "gamma"?), got the key "gama"',
      'line 5, space.beta: expected at least 0, got -1',
    ]);
    await page.getByText('No plan: something in this sweep is not correct yet.').waitFor();
    expect(await page.getByText('To train').count()).toBe(0);
    await editor.fill('name: x\nseeds: 1\nseeds: 2\n');
    await mistakes.getByText(/^The file has a mistake:$/).waitFor();
    expect(await mistakes.getByRole('listitem').textContent()).toBe(
      'Expected every key once, but got "seeds" twice, at lines 2 and 3. Keep one of them.',
    );
    expect(faults).toEqual([]);
    await close();
  });

  it('starts from a template, and proposes a range around the default', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'γ against β' }).click();
    await page.getByRole('button', { name: 'Submit 18 trials' }).waitFor();
    expect(await page.getByLabel('Training images').inputValue()).toBe('2000');
    await page
      .getByRole('group', { name: 'γ: default, values or range' })
      .getByRole('button', { name: 'Range' })
      .click();
    const from = page.getByLabel('γ: from');
    const to = page.getByLabel('γ: to');
    expect(Number(await from.inputValue())).toBeLessThan(Number(await to.inputValue()));
    await from.fill('1e9');
    // The error stands at the end that is wrong.
    await page
      .locator('.hyperparameter-range .label')
      .filter({ hasText: 'From' })
      .locator('.field-error')
      .waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('offers the data sets of the service, each with its own number of images', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/new`);
    await page.getByLabel('Name').fill('On pets');
    await page.getByRole('option', { name: 'street-signs' }).waitFor({ state: 'attached' });
    await page.getByLabel('Data set').selectOption('pets');
    expect(await page.getByLabel('Training images').inputValue()).toBe('900');
    await page.getByLabel('Training images').fill('500');
    await page.getByRole('button', { name: 'Submit 1 trial' }).click();
    await page.getByRole('heading', { name: 'On pets' }).waitFor();
    const made = [...world.sweeps.values()].find(({ definition }) => definition.name === 'On pets')!;
    expect(made.definition.dataset).toMatchObject({
      ...{ name: 'pets', train: 500, test: 120, attack: 120 },
      content: { shape: [30, 45, 1] },
    });
    expect(faults).toEqual([]);
    await close();
  });

  it('accepts a sweep file, and writes the form back into one', async () => {
    const { page, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'YAML' }).click();
    const editor = page.getByRole('textbox', { name: 'Sweep file' });
    await editor.fill(
      'name: From a file\ndataset: { name: mnist, train: 1000, test: 500, attack: 100 }\nspace: { beta: [0.01, 0.02] }\nseeds: [3, 4]\n',
    );
    await page.getByRole('button', { name: 'Submit 4 trials' }).waitFor();
    await page.getByRole('button', { name: 'Form' }).click();
    expect(await page.getByLabel('β: values').inputValue()).toBe('0.01, 0.02');
    expect(await page.getByLabel('Seeds per point').inputValue()).toBe('3, 4');
    await page.getByRole('button', { name: 'YAML' }).click();
    await page.waitForFunction(() =>
      document.querySelector('textarea')?.value.includes('beta: [ 0.01, 0.02 ]'),
    );
    await editor.fill('name: [');
    await page.locator('.yaml-mistakes').waitFor();
    await close();
  });

  it('shows in the form the values that were typed into the file', async () => {
    const { page, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('button', { name: 'YAML' }).click();
    await page
      .getByRole('textbox', { name: 'Sweep file' })
      .fill('dataset: { name: glyphs }\nspace: { beta: [0.01, 0.02] }');
    await page.getByRole('button', { name: 'Form' }).click();
    expect(await page.getByLabel('β: values').inputValue()).toBe('0.01, 0.02');
    await close();
  });

  it('copies a trial with its settings', async () => {
    const trial = world.trialOf(world.sweeps.get('done')!, 30);
    const { page, close } = await open(browser, `${api.url}#/trials/done.30`);
    await page.getByRole('link', { name: 'Run again' }).click();
    await page.getByRole('button', { name: 'Submit 1 trial' }).waitFor();
    expect(await page.getByLabel('β: values').inputValue()).toBe(String(trial.hyperparameters.beta));
    expect(await page.getByLabel('Seeds per point').inputValue()).toBe(
      trial.seed === 0 ? '1' : String(trial.seed),
    );
    await close();
  });

  it('shows an own list of attacks with their settings', async () => {
    const { page, close } = await open(browser, `${api.url}#/new`);
    await page.getByRole('group', { name: 'Attacks' }).getByRole('button', { name: 'Own list' }).click();
    await page.getByRole('button', { name: 'Remove DeepFool L2' }).waitFor();
    await page.getByLabel('Add an attack').selectOption('square-linf');
    await page
      .getByRole('button', { name: 'Remove Square Attack L∞' })
      .or(page.getByRole('button', { name: /Remove Square/ }))
      .waitFor();
    const stages = page.getByRole('row', { name: /^attack/ });
    await stages.getByText('7').waitFor();
    await close();
  });

  it('offers every search with its fields, and shows what is wrong beside them', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/new`);
    await page.getByLabel('Name').fill('A search');
    await page
      .getByRole('group', { name: 'γ: default, values or range' })
      .getByRole('button', { name: 'Range' })
      .click();
    await page.getByLabel('γ: from').fill('0.1');
    await page.getByLabel('γ: to').fill('10');
    await page.getByRole('radio', { name: /^Hyperband/ }).check();
    await page.getByLabel('γ: number of values').fill('');
    expect(await page.getByLabel('Fidelity').inputValue()).toBe('initialiseEpochs');
    await page.getByLabel('Fidelity').selectOption('optimiseEpochs');
    await page.getByRole('textbox', { name: /^Trials/ }).fill('1');
    await page.getByText('Expected at least 2, but got 1').first().waitFor();
    await page.getByRole('textbox', { name: /^Trials/ }).fill('9');
    await page.getByRole('textbox', { name: /^Constraints/ }).fill('accuracy > 1');
    await page
      .getByText(/Expected a condition such as/)
      .first()
      .waitFor();
    await page.getByRole('textbox', { name: /^Constraints/ }).fill('cleanAccuracy >= 0.5');
    await page.getByRole('button', { name: 'Choose an objective' }).click();
    await page.getByRole('button', { name: 'Add an objective' }).click();
    await page.getByRole('button', { name: 'Submit 9 configurations' }).click();
    await page.getByRole('heading', { name: 'A search' }).waitFor();
    const made = [...world.sweeps.values()].find(({ definition }) => definition.name === 'A search')!;
    expect(made.definition).toMatchObject({
      space: { gamma: { min: 0.1, max: 10 } },
      search: {
        ...{ strategy: 'hyperband', trials: 9, sampler: 'tpe', constraints: ['cleanAccuracy >= 0.5'] },
        fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 },
      },
      objective: [{ metric: 'robustAccuracy' }, { metric: 'cleanAccuracy' }],
    });
    expect(faults).toEqual([]);
    await close();
  });
});
