"""What each pane teaches: what it shows, why it matters, one formula, one question with its answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """Two sentences, one formula, one question. Plain text; a formula is one line of Unicode."""

    what: str
    why: str
    formula: str
    question: str
    answer: str
    source: str = ""


LESSONS: dict[str, Lesson] = {
    "mass": Lesson(
        what="The invariant mass of all constituents of the jet, for each class.",
        why="A top quark, W, Z or Higgs that decays inside one jet leaves its mass there; the jet of a light quark or gluon has only the mass of its own radiation.",
        formula="m² = (Σ Eᵢ)² − |Σ pᵢ|²",
        question="Why do jets of light quarks at 550 GeV have masses of 50 GeV and more?",
        answer="One emission with the share z of the momentum at the distance ΔR gives m² ≈ z(1−z) pT² ΔR²: a tenth of pT at ΔR = 0.4 already makes 66 GeV.",
        source="arXiv:1901.10342",
    ),
    "sd_mass": Lesson(
        what="The mass of the jet after soft drop has taken soft radiation at wide angles off.",
        why="The mass of a light jet comes mostly from such radiation, that of a top quark from its hard decay, so grooming moves the first and keeps the second.",
        formula="stop at the first splitting with min(pT₁, pT₂)/(pT₁ + pT₂) > z_cut (ΔR/R)^β; here z_cut = 0.1, β = 0",
        question="Why does the peak of the top jets stay, while the QCD jets move to low masses?",
        answer="The quarks of the decay share the momentum more evenly than soft gluons do: the first wide splitting of a top jet passes the condition, that of a QCD jet seldom does.",
        source="arXiv:1402.2657, arXiv:1307.0007",
    ),
    "multiplicity": Lesson(
        what="The number of particles in the jet.",
        why="Gluons carry more colour charge than quarks and radiate more, so counting is the simplest way to tell them apart.",
        formula="⟨N⟩ of gluons / ⟨N⟩ of quarks → C_A/C_F = 9/4 at very high energy",
        question="Why do top jets hold more particles than light-quark jets of the same momentum?",
        answer="Three quarks of the decay radiate and hadronise inside one jet. The number is not safe against soft and collinear splitting, so simulations disagree most on it.",
        source="arXiv:1704.06266",
    ),
    "tau21": Lesson(
        what="How much better two axes describe the jet than one.",
        why="A W, Z or Higgs decays to two quarks, so its jet has two prongs and a small τ₂/τ₁.",
        formula="τ_N = Σ pT,k min(ΔR₁ₖ, …, ΔR_Nₖ) / Σ pT,k R₀",
        question="Can τ₂/τ₁ be larger than 1?",
        answer="Not with the best axes: with one more axis no particle gets farther from its nearest. Axes found by a recipe may miss the best ones by a little.",
        source="arXiv:1011.2268",
    ),
    "tau32": Lesson(
        what="How much better three axes describe the jet than two.",
        why="A top quark decays to three quarks, so its jet has three prongs and a small τ₃/τ₂.",
        formula="τ_N = Σ pT,k min(ΔR₁ₖ, …, ΔR_Nₖ) / Σ pT,k R₀",
        question="Why does even a perfect three-pronged jet not reach zero?",
        answer="Each prong radiates and hadronises, so particles lie around the three axes and τ₃ stays above zero.",
        source="arXiv:1011.2268",
    ),
    "score": Lesson(
        what="What the network says of each jet: near 1 it takes it for signal, near 0 for background.",
        why="If the training could find the optimum, the score would be a function of the likelihood ratio, and no other number made of the same inputs would separate better.",
        formula="p = f_S / (f_S + f_B), for equal numbers of both",
        question="Of jets with score 0.9 in a sample with 1,000 times more background than signal, which share is signal?",
        answer="About 0.9 %: the odds 0.9 : 0.1 are multiplied by 1 : 1,000. A score is a probability only for the mixture that it was trained on.",
        source="arXiv:1506.02169",
    ),
    "performance": Lesson(
        what="How much background is rejected at each signal efficiency, with its error.",
        why="An analysis works at one point of this curve; the area below a curve weighs all of them, most of which nobody uses.",
        formula="AUC = P(score of a signal jet > score of a background jet)",
        question="Two taggers have AUC 0.980 and 0.985. Which rejects more background at 30 % signal efficiency?",
        answer="That cannot be told from the areas: curves may cross. Read the rejection at the working point, with its error.",
        source="arXiv:1902.09914",
    ),
    "efficiency": Lesson(
        what="The share of signal and of background that passes the cut, against momentum, mass and multiplicity.",
        why="An efficiency that is flat can be measured in one place and used in another; one that follows the mass shapes the background.",
        formula="ε = passing / all, with an interval that holds the true value in 68 % of cases",
        question="All of 12 jets pass. Is the error of the efficiency zero?",
        answer="No: a true efficiency of 0.92 would still let all 12 pass in 38 % of cases, so Wilson's interval goes from 0.92 to 1.",
        source="arXiv:0908.0130",
    ),
    "calibration": Lesson(
        what="Of the jets that got about this score, the share that is signal.",
        why="A score that is used as a probability, in a fit or as a weight, must mean what it says.",
        formula="ECE = Σ_b (n_b/N) |share of signal in b − mean score in b|",
        question="Why is the calibration error of a perfect score not zero?",
        answer="In each bin the share of signal fluctuates, and a magnitude has no minus sign to cancel it. The floor beside the number says how much to expect from that alone.",
        source="arXiv:1706.04599",
    ),
    "map": Lesson(
        what="The particles of the open jet; colour says how much each one added to the score.",
        why="It shows whether the network looks at what physics says: the prongs of a decay, or perhaps something that only the simulation has.",
        formula="score = Σᵢ Rᵢ + Σ biases + what the rule absorbed",
        question="Would the score drop by R if the particle with relevance R were not there?",
        answer="Not in general: the network is not linear. Relevance divides the score of this jet; taking a particle away asks about another jet.",
        source="doi:10.1371/journal.pone.0130140",
    ),
    "ledger": Lesson(
        what="How the relevance of the inputs, the biases and what the rule absorbed add up to the score.",
        why="A map that does not add up to the score explains something else; here the difference is shown and not hidden.",
        formula="score − Σ lines = rest, which is rounding only",
        question="The rest is as large as the score. What now?",
        answer="Do not trust the map: some operation of the network was not explained. A rest of a millionth is rounding in single precision.",
        source="doi:10.1371/journal.pone.0130140",
    ),
    "tabs": Lesson(
        what="The same jet as other networks see it: features, image, graph and Lund plane.",
        why="What a network can find depends on what it is shown: an image has no charge, a graph knows its neighbours, a set has no order.",
        formula="set {pᵢ} → image I(η, φ), graph {(i, j)}, tree of splittings",
        question="Which of these pictures changes if a soft particle at a wide angle is added?",
        answer="All change a little; the image by one faint pixel, the primary Lund plane by one point at low kT. The number of particles is the only one that jumps by a whole unit.",
        source="arXiv:1902.09914",
    ),
    "features": Lesson(
        what="Relevance of each input feature of each particle.",
        why="Two networks with equal scores may use different features, and only one of them may survive in data.",
        formula="Rᵢ = Σ_f R_{i,f}",
        question="A feature has no relevance here. Does the network ignore it?",
        answer="Not necessarily: its parts can cancel in this jet, or another feature that says the same took its place. Look at many jets.",
        source="doi:10.1371/journal.pone.0130140",
    ),
    "image": Lesson(
        what="The transverse momentum of the jet in cells of η and φ.",
        why="As images, jets can be given to networks made for photographs; centring, turning and flipping take out what physics does not depend on.",
        formula="I(a, b) = Σ pT,i of the particles in the cell (a, b)",
        question="Why is the mean image of top jets more telling than one of them?",
        answer="One image has some 50 bright cells of 1,000. In the mean, after turning, the second prong stands where the decay puts it.",
        source="arXiv:1407.5675, arXiv:1511.05190",
    ),
    "graph": Lesson(
        what="Each particle joined to its nearest neighbours.",
        why="ParticleNet learns from each pair of neighbours and thus finds structure at every distance, layer by layer.",
        formula="xᵢ′ = mean over neighbours j of h(xᵢ, xⱼ − xᵢ)",
        question="Why xⱼ − xᵢ and not xⱼ alone?",
        answer="Differences describe the surroundings of a particle wherever it lies, as a convolution does in an image.",
        source="arXiv:1902.08570",
    ),
    "lund": Lesson(
        what="Each splitting of the hardest branch: how wide, and with which transverse momentum.",
        why="Soft and collinear emissions fill the plane evenly, a decay is one point far from them, and hadronisation stays at the bottom.",
        formula="density of emissions in (ln 1/ΔR, ln kT) ≈ (2/π) α_S(kT) C_R",
        question="Where does the perturbative picture end?",
        answer="Below kT of about 1 GeV the coupling is large, and what is seen there comes from the model of hadronisation.",
        source="arXiv:1807.04758",
    ),
    "layers": Lesson(
        what="What passed each layer of the network on its way from the score back to the particles.",
        why="A layer that a shortcut goes around carries only a part; a map of its edges alone would overstate them.",
        formula="Σ relevance at a depth + Σ of what biases and absorption took above it = score",
        question="A layer has relevance +4 and the score is +1. Is that wrong?",
        answer="No: a bias or a normalisation above it may have added −3. The ledger shows these lines.",
        source="arXiv:1604.00825",
    ),
    "particles": Lesson(
        what="One row per particle: what it is, where it is, and what it added to the score.",
        why="A table can be read aloud, sorted and checked by hand; a picture cannot.",
        formula="ΔR² = Δη² + Δφ²",
        question="Two particles have φ = 3.1 and φ = −3.1. How far apart are they?",
        answer="0.083 rad: φ is an angle, and Δφ is taken between −π and π.",
        source="arXiv:0802.1189",
    ),
    "jets": Lesson(
        what="The selected jets in an order that pays: the most confident mistakes, those nearest to the threshold, the hardest.",
        why="Looking at single mistakes finds mislabelled jets, merged decays and detector effects that no average shows.",
        formula="loss = −ln p(true class)",
        question="A jet has loss 4.6. Which probability did the network give to the truth?",
        answer="e^−4.6 ≈ 0.01, one per cent.",
    ),
    "event": Lesson(
        what="The particles of an event or jet with the jets that were found, in space and in the planes in which an analysis thinks.",
        why="A wrong cut, a wrong unit or a jet at the edge of the detector is seen here at once.",
        formula="η = −ln tan(θ/2)",
        question="Why is the distance of two particles measured in η and not in the polar angle θ?",
        answer="For massless particles a boost along the beam adds the same number to every η, so differences stay; differences of θ do not.",
        source="arXiv:0802.1189",
    ),
    "objects": Lesson(
        what="The jets, leptons and other particles of what is shown, and the invariant mass of those that are marked.",
        why="The invariant mass of the products of a decay is the mass of what decayed, in every frame and for every momentum of it.",
        formula="m² = (ΣE)² − |Σp|²",
        question="Two massless particles have 45.6 GeV each and fly apart back to back. Which mass has the pair?",
        answer="91.2 GeV, that of the Z boson: the momenta cancel, and m is the sum of the energies.",
        source="PDG, Review of Particle Physics, Kinematics",
    ),
    "training": Lesson(
        what="Loss and area under the ROC curve of training and validation jets while the network learns.",
        why="The distance of the two curves says whether the network learns physics or learns its jets by heart.",
        formula="loss = −(1/N) Σ ln p(true class)",
        question="The training loss still falls, the validation loss rises. What is kept?",
        answer="The weights of the epoch with the lowest validation loss; what was learned after it does not hold for other jets.",
    ),
    "runs": Lesson(
        what="Every network that was trained, with its settings, its figure of merit and its error.",
        why="A number without the settings, seed and data that made it cannot be repeated.",
        formula="AUC ± σ, σ from the number of jets of both classes",
        question="A run is better than another one by 1 σ. Is its network better?",
        answer="Perhaps not. Train both with other seeds: the spread between seeds is often larger than σ.",
        source="arXiv:1902.09914",
    ),
    "run-numbers": Lesson(
        what="The figures of merit of the chosen runs, and how much each differs from the first.",
        why="Two networks measured on the same jets share their fluctuations, so their difference is known better than either number.",
        formula="σ²(A − B) = σ²(A) + σ²(B) − 2 cov(A, B)",
        question="A and B have AUC errors of 0.002 each, and the same jets. Is the error of A − B 0.0028?",
        answer="That would hold for independent jets. With the same jets the covariance is positive, and the error of the difference is smaller.",
    ),
    "samples": Lesson(
        what="The mean of every shown observable in both samples, and the largest distance of their cumulative distributions.",
        why="Two simulations that agree in the means can differ in the tails, and a network learns from tails too.",
        formula="D = max |F₁(x) − F₂(x)|",
        question="With a million jets, p is tiny for every observable. Is every difference important?",
        answer="No: p says how sure the difference is, D how large. A D of 0.01 moves at most one jet in a hundred across any cut.",
        source="arXiv:physics/0605123",
    ),
    "run-rejection": Lesson(
        what="Background rejection of the chosen runs, and its ratio to the first.",
        why="Curves over several powers of ten look alike; the ratio below shows who wins where.",
        formula="rejection = 1/ε_B at the signal efficiency ε_S",
        question="Why does the band widen to the left?",
        answer="There a few background jets pass: with n of them the relative error is about 1/√n.",
        source="arXiv:1902.09914",
    ),
    "run-learning": Lesson(
        what="Loss and AUC of the chosen runs, epoch by epoch.",
        why="It shows who learned faster, who went on learning, and who learned by heart.",
        formula="loss = −(1/N) Σ ln p(true class)",
        question="Two runs end at the same loss. Do they have the same rejection at 30 % signal efficiency?",
        answer="Not necessarily: the loss weighs all jets, the rejection only those with the highest scores.",
    ),
    "run-settings": Lesson(
        what="The settings in which the chosen runs differ.",
        why="A comparison is fair when only one thing was changed.",
        formula="effect = f(setting′) − f(setting), all else equal",
        question="Two runs differ in network and in number of training jets. What made the better one better?",
        answer="It cannot be told. Repeat one of them with the other's jets.",
    ),
    "what-if": Lesson(
        what="The open jet and the same jet after it was edited, with the score, its ledger and the graph of both.",
        why="Relevance says what the network used in this jet, an edit says what it would have said of another one; where the two disagree, believe the edit.",
        formula="Δ score = score(edited jet) − score(jet), neighbours found again",
        question="A particle has relevance +0.5. Must the score fall by 0.5 when it is dropped?",
        answer="No. Its neighbours then find others, the axis moves, and what it told may be told by another particle too.",
        source="arXiv:2010.11998, arXiv:1810.05165",
    ),
}
"""By the name of the pane, or of what a tab of it shows."""
