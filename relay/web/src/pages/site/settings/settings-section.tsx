import { Button, Radio, TagsInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../../api/keys.ts';
import { changeSite } from '../../../api/queries/site.ts';
import type { SiteDetail, SitePatch, Tier } from '../../../api/types.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Section } from '../../../components/section.tsx';
import { TIERS } from '../../../words/work.ts';
import css from './settings.module.css';
import { useDraft } from './use-draft.ts';

const NAME = /^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$/;

/** What the box's signed config says; a change here makes a new one, which the box fetches at its next check-in. */
export function SettingsSection({ siteId, detail }: { siteId: string; detail: SiteDetail }) {
  const client = useQueryClient();
  const { draft, change, edit, reset } = useDraft(detail);
  const save = useMutation({
    mutationFn: (patch: SitePatch) => changeSite(siteId, patch),
    onSuccess: (next) => {
      client.setQueryData(keys.site(siteId), next);
      reset();
    },
  });
  const bad = draft.requiredServices.find((name) => !NAME.test(name));
  return (
    <Section id="settings" title="Settings">
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (change && !bad) save.mutate(change);
        }}
      >
        <Radio.Group
          label="Tier of the agents"
          description="How far agents and rules may go here"
          value={String(draft.agentTier)}
          onChange={(tier) => edit({ agentTier: Number(tier) as Tier })}
        >
          <div className={css.tiers}>
            {TIERS.map((tier, number) => (
              <Radio key={tier.name} value={String(number)} label={tier.name} description={tier.does} />
            ))}
          </div>
        </Radio.Group>
        <TagsInput
          label="Required services"
          description="A service that is not running fails its check. Enter after each name."
          placeholder={draft.requiredServices.length === 0 ? 'none' : ''}
          value={draft.requiredServices}
          onChange={(requiredServices) => edit({ requiredServices })}
          maxTags={64}
          error={bad && `“${bad}” cannot be a service name: letters, digits and @ . _ - only.`}
        />
        <div className={css.end}>
          <Button type="submit" loading={save.isPending} disabled={!change || Boolean(bad)}>
            Save
          </Button>
          {change && (
            <Button variant="default" onClick={reset}>
              Undo
            </Button>
          )}
          <p className="small dim" role="status">
            {save.isSuccess && !change && 'Saved. The box takes it over at its next check-in.'}
          </p>
        </div>
        {save.isError && <ErrorNote what="The settings were not changed" error={save.error} />}
      </form>
    </Section>
  );
}
