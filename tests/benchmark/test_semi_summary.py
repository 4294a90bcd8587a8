"""Which figures of the table of few labels count for what is recommended."""

from napari_s3net.benchmark.semi_summary import measured


def test_what_is_recommended_goes_by_the_u_net_from_random_weights():
    budget = "96 pixels, width 16, 300 steps of 8 images, not mirrored"

    def of(row, dice, draw="0"):
        return {"row": row, "labelled": "2", "draw": draw, "dice": dice, "budget": budget}

    rows = [
        of("unet", "0.5"),
        of("ideal-random", "0.6"),
        of("ideal-random", "0.8", "1"),
        of("ideal", "0.9"),
        of("ilka", "1"),
    ]
    plain, ideal = measured(rows)
    assert (plain.method, plain.draws, plain.dice, plain.size, plain.steps) == ("plain", 1, 0.5, 96, 300)
    assert (ideal.method, ideal.draws, ideal.dice, ideal.least_gain) == ("ideal", 2, 0.7, 0.1)


def test_of_several_budgets_that_with_most_trainings_counts():
    def of(budget, row, draw, dice, labelled="2"):
        budget = f"{budget} pixels, width 16, 500 steps of 8 images"
        return {"row": row, "labelled": labelled, "draw": draw, "dice": dice, "budget": budget}

    rows = [of("96", "unet", "0", "0.5"), of("96", "unet", "1", "0.5"), of("128", "unet", "0", "0.7")]
    rows += [of("96", "unet", "0", "0.1", "6"), of("128", "unet", "0", "0.8", "6")]
    assert sorted((one.labelled, one.size, one.dice) for one in measured(rows)) == [(2, 96, 0.5), (6, 128, 0.8)]


def test_the_latest_budget_in_which_methods_were_compared_counts():
    def of(row, dice, draws, words=""):
        budget = f"128 pixels, width 16, 500 steps of 8 images{words}"
        return [{"row": row, "labelled": "2", "draw": str(n), "dice": dice, "budget": budget} for n in range(draws)]

    first = [*of("unet", "0.5", 3), *of("ideal-random", "0.6", 3), *of("kaf-random", "0.7", 3)]
    second = [*of("unet", "0.7", 3, ", closer"), *of("ideal", "0.8", 3, ", closer"), *of("kaf", "0.9", 2, ", closer")]
    third = [*of("unet", "0.75", 3, ", again"), *of("ideal", "0.85", 2, ", again")]
    found = {one.method: one.dice for one in measured([*first, *second, *third])}
    assert found == {"plain": 0.7, "ideal": 0.8, "kaf": 0.9}
    both = [*second, *of("ideal-random", "0.65", 1, ", closer")]
    assert {one.method: one.dice for one in measured(both)}["ideal"] == 0.65
