-- A large sweep that shares stages with other sweeps is connected with them in batches, after its rows are written.
ALTER TABLE "sweep_actions" DROP CONSTRAINT "sweep_actions_action_check";
ALTER TABLE "sweep_actions" ADD CONSTRAINT "sweep_actions_action_check" CHECK ("action" IN ('connect', 'pause', 'resume', 'cancel', 'delete', 'retry'));
