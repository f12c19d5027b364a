import { EmptyState } from '../../../components/empty-state.tsx';

export function NoAgents({ hasBox }: { hasBox: boolean }) {
  return (
    <EmptyState small icon="laptop" title="No agent has reported yet">
      {hasBox ? (
        <>
          On the box, <code>sitewarden-appliance agents token</code> makes a one-time token. Start the agent on a
          workstation with it.
        </>
      ) : (
        'Agents enrol at the box; claim a box for this site first.'
      )}
    </EmptyState>
  );
}
