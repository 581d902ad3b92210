peers-plan: slew $(BUILD)/tests/peers/plan_nights ## the plan of 20 nights against the exact optimum of an integer programme (scipy, HiGHS)
	@BUILD=$(BUILD) tests/peers/plan_milp.sh
.PHONY: peers-plan
